import type { SpanRef } from '#observation';
import type { SpanMemory } from './cause.ts';
import type { Judged, RequestSpans } from './request-spans.ts';

/** A span of a service that a way up leads to and that has not come yet. */
export interface AwaitedSpan extends SpanRef {
  readonly service: string;
}

/**
 * Children end, and are sent, before their parents. Where the way from a hop up through its own service ends at a span that
 * has not come, the inner spans on it are kept as hops of side `local`, and so is the awaited one when it comes as an
 * inner span: else nothing would join what hangs below to what stands above. Inner spans of a way that is known are left.
 * Returns what is awaited now, to be remembered once the request is durable.
 */
export function keepWaysUp(spans: RequestSpans, memory: SpanMemory): readonly AwaitedSpan[] {
  for (const each of spans.all) {
    if (memory.isAwaited(each.service, each.span) && spans.sideOf(each) === undefined) each.side = 'local';
  }
  const awaited: AwaitedSpan[] = [];
  for (const each of spans.all) {
    const side = spans.sideOf(each);
    if (side !== 'caller' && side !== 'local') continue; // who calls a callee is another service
    const open = openWay(each, spans, memory);
    for (const inner of open?.inner ?? []) inner.side = 'local';
    if (open !== undefined) awaited.push(open.awaited);
  }
  return awaited;
}

const MAX_STEPS = 1_000;

/** The inner spans from a hop up to a span that is not here; undefined where a hop, the top or no single way is found. */
function openWay(from: Judged, spans: RequestSpans, memory: SpanMemory) {
  const { service } = from;
  const { traceId } = from.span;
  const inner: Judged[] = [];
  let at = from.parentSpanId;
  for (let step = 0; at !== undefined && at !== from.span.spanId && step < MAX_STEPS; step += 1) {
    const ref = { traceId, spanId: at };
    const here: readonly Judged[] = spans.at(ref);
    const [only] = here;
    if (only === undefined)
      return memory.find(service, ref) === undefined ? { inner, awaited: { service, ...ref } } : undefined;
    if (here.length > 1 || only.service !== service || spans.sideOf(only) !== undefined) return undefined;
    inner.push(only);
    at = only.parentSpanId;
  }
  return undefined;
}
