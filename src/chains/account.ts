import type { HopEntry } from '#observation';
import type { Recorded } from './chain.ts';
import { type End, endOf, endsAt, indexBySpan, type SpanIndex } from './end.ts';
import { collapseLayers } from './layer.ts';
import { groupBy } from './order.ts';
import type { Places } from './place.ts';

/** Groups accounts into ends. Deterministic in the set, whatever the order. */
export function endsOf(accounts: readonly Recorded<HopEntry>[], places: Places): readonly End[] {
  const ends: End[] = [];
  for (const sharing of groupBy(accounts, ({ entry }) => entry.trace?.spanId ?? entry.id).values()) {
    const groups = sharing.length === 1 ? [sharing] : groupBy(sharing, endKey).values();
    for (const group of groups) for (const told of splitReused(group)) ends.push(endOf({ accounts: told }, places));
  }
  return markUnsure(collapseLayers(ends, places));
}

/** Marks every end of a trace in which one span id stands for several calls. */
function markUnsure(ends: readonly End[]): readonly End[] {
  const bySpan = indexBySpan(ends);
  const reused = new Set<string | undefined>();
  for (const sharing of bySpan)
    if (sharing !== undefined && sharing.length > 1 && hasOneSideTwice(sharing)) reused.add(sharing[0]?.traceId);
  markSeveralServices(ends, bySpan, reused);
  return reused.size === 0 ? ends : ends.map((end) => (reused.has(end.traceId) ? { ...end, isUnsure: true } : end));
}

/** Ends that carry one span id: that both sides of a call do is B3's single-span style. */
const hasOneSideTwice = (sharing: readonly End[]): boolean =>
  new Set(sharing.map(({ side }) => side)).size < sharing.length;

/** Traces in which one calling span was answered by several services. One message may have many readers. */
function markSeveralServices(ends: readonly End[], bySpan: SpanIndex, reused: Set<string | undefined>): void {
  const answeredBy = new Map<number, string>(); // by place
  for (const { side, traceId, parent, service } of ends) {
    if (side !== 'callee' || parent === undefined || !endsAt(parent, bySpan).some(isCalling)) continue;
    const before = answeredBy.get(parent);
    if (before !== undefined && before !== service) reused.add(traceId);
    answeredBy.set(parent, service);
  }
}

const isCalling = (end: End): boolean => end.side === 'caller' && !end.isMessage;

/** Trace and span ids are of one length, and a service's name stands with its own: no two services share a key. */
function endKey({ entry: { trace, side, reporter, id } }: Recorded<HopEntry>): string {
  if (trace === undefined) return id;
  const { service } = reporter;
  return `${trace.traceId}${trace.spanId}${side} ${service.length} ${service}`;
}

/**
 * A log record and a span of the same end are one end told twice. Two spans, or two log records, with the same ids and
 * other content are two ends: span ids are reused in the wild and nothing may be dropped because of it.
 */
function splitReused(group: readonly Recorded<HopEntry>[]): readonly (readonly Recorded<HopEntry>[])[] {
  if (group.length === 1 || isToldTwice(group)) return [group];
  return [...groupBy(group, ({ entry }) => entry.reporter.instance ?? '').values()].flatMap(pairUp);
}

/** One log record and one span: the SDK's instance outlives a process, the one of OpenTelemetry's resource does not. */
const isToldTwice = (group: readonly Recorded<HopEntry>[]): boolean =>
  group.length === 2 && new Set(group.map(({ entry }) => entry.source.signal)).size === 2;

function pairUp(group: readonly Recorded<HopEntry>[]): readonly (readonly Recorded<HopEntry>[])[] {
  const logs = group.filter(({ entry }) => entry.source.signal === 'log');
  const spans = group.filter(({ entry }) => entry.source.signal === 'span');
  const count = Math.max(logs.length, spans.length);
  return Array.from({ length: count }, (_, i) => [logs[i], spans[i]].filter((each) => each !== undefined));
}
