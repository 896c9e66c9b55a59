import type { SpanRef } from '#observation';

/** What following a cause needs of a span: where it hangs, and whether an observation was made of it. */
export interface SpanNode {
  readonly parentSpanId: string | undefined;
  readonly isHop: boolean;
}

/** Spans by trace and span id. The pair is not unique in the wild: several spans may answer. */
export type SpanIndex = (ref: SpanRef) => readonly SpanNode[];

type Start = SpanRef & { readonly parentSpanId: string | undefined };

const MAX_STEPS = 1_000;

/**
 * The nearest span above that is itself a hop, by parentage within a trace: undefined where the way up is unknown, forks
 * or turns in a circle. Never a guess.
 */
export function causeOf(start: Start, index: SpanIndex): SpanRef | undefined {
  const { traceId, parentSpanId } = start;
  if (parentSpanId === undefined || parentSpanId === start.spanId) return undefined;
  // One step is all that most need, and all that may be had without remembering the way.
  const around = index({ traceId, spanId: parentSpanId });
  if (around.some((node) => node.isHop)) return { traceId, spanId: parentSpanId };
  return causeAbove(start, index);
}

function causeAbove(start: Start, index: SpanIndex): SpanRef | undefined {
  const seen = new Set([start.spanId]);
  let at = start.parentSpanId;
  for (let step = 0; at !== undefined && !seen.has(at) && step < MAX_STEPS; step += 1) {
    const nodes = index({ traceId: start.traceId, spanId: at });
    if (nodes.some((node) => node.isHop)) return { traceId: start.traceId, spanId: at };
    seen.add(at);
    const parents = new Set(nodes.map((node) => node.parentSpanId));
    at = parents.size === 1 ? [...parents][0] : undefined;
  }
  return undefined;
}

/**
 * The last spans of earlier requests, so that a cause is found when a span arrives after its ancestors: work that goes on
 * behind a finished request. Bounded: between half of `capacity` and all of it, the oldest are forgotten together. A
 * service sees its own spans only, so that nobody else's span with a copied trace id becomes the cause of its calls.
 */
export class SpanMemory {
  readonly #half: number;
  #recent = new Map<string, SpanNode>();
  #older = new Map<string, SpanNode>();
  #awaited = new Set<string>();
  #awaitedBefore = new Set<string>();

  constructor(capacity = 100_000) {
    this.#half = Math.max(1, Math.floor(capacity / 2));
  }

  remember(service: string, ref: SpanRef, node: SpanNode): void {
    // Deleting the oldest one by one was measured: a third of all mapping, walking over what was deleted before.
    if (this.#recent.size >= this.#half) [this.#older, this.#recent] = [this.#recent, new Map()];
    const key = keyOf(service, ref);
    const known = this.#recent.get(key) ?? this.#older.get(key);
    this.#recent.set(key, known?.isHop ? known : node);
  }

  find(service: string, ref: SpanRef): SpanNode | undefined {
    const key = keyOf(service, ref);
    return this.#recent.get(key) ?? this.#older.get(key);
  }

  /** A hop hangs below this span, which has not come. */
  await(service: string, ref: SpanRef): void {
    if (this.#awaited.size >= this.#half) [this.#awaitedBefore, this.#awaited] = [this.#awaited, new Set()];
    this.#awaited.add(keyOf(service, ref));
  }

  isAwaited(service: string, ref: SpanRef): boolean {
    if (this.#awaited.size + this.#awaitedBefore.size === 0) return false;
    const key = keyOf(service, ref);
    return this.#awaited.has(key) || this.#awaitedBefore.has(key);
  }
}

const keyOf = (service: string, { traceId, spanId }: SpanRef): string => `${traceId}/${spanId}/${service}`;
