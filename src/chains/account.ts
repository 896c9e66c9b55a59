import type { HopEntry } from '#observation';
import type { Recorded } from './chain.ts';
import { byStrength, type End } from './end.ts';
import { collapseLayers } from './layer.ts';
import { groupBy, smallest } from './order.ts';

/** Groups accounts into ends. Deterministic in the set, whatever the order. */
export function endsOf(accounts: readonly Recorded<HopEntry>[]): readonly End[] {
  return markUnsure(collapseLayers([...groupBy(accounts, endKey).values()].flatMap(splitReused).map(toEnd)));
}

/** Marks every end of a trace in which one span id stands for several calls. */
function markUnsure(ends: readonly End[]): readonly End[] {
  const reused = new Set([...sameSide(ends), ...severalServices(ends)]);
  return reused.size === 0 ? ends : ends.map((end) => (reused.has(end.traceId) ? { ...end, isUnsure: true } : end));
}

/** Traces in which two ends of one side carry one span id. */
function sameSide(ends: readonly End[]): (string | undefined)[] {
  const seen = new Set<string>();
  return ends.flatMap(({ traceId, side, spanIds }) =>
    spanIds.flatMap((spanId) => {
      const key = `${traceId}/${spanId}/${side}`;
      if (traceId !== undefined && seen.has(key)) return [traceId];
      seen.add(key);
      return [];
    }),
  );
}

/** Traces in which one calling span was answered by several services. One message may have many readers. */
function severalServices(ends: readonly End[]): (string | undefined)[] {
  const callers = new Set(ends.flatMap((end) => (isCalling(end) ? spanKeysOf(end) : [])));
  const answeredBy = new Map<string, string>();
  return ends.flatMap(({ side, traceId, parentSpanId, service }) => {
    const key = `${traceId}/${parentSpanId}`;
    if (side !== 'callee' || !callers.has(key)) return [];
    const before = answeredBy.get(key);
    answeredBy.set(key, service);
    return before === undefined || before === service ? [] : [traceId];
  });
}

const isCalling = (end: End): boolean =>
  end.side === 'caller' && end.accounts.every(({ entry }) => entry.transport.protocol !== 'messaging');
const spanKeysOf = (end: End): string[] => end.spanIds.map((spanId) => `${end.traceId}/${spanId}`);

const endKey = ({ entry }: Recorded<HopEntry>): string =>
  entry.trace === undefined
    ? entry.id
    : JSON.stringify([
        entry.trace.traceId,
        entry.trace.spanId,
        entry.side,
        entry.reporter.service,
        entry.reporter.instance ?? '',
      ]);

/**
 * A log record and a span of the same end are one end told twice. Two spans, or two log records, with the same ids and
 * other content are two ends: span ids are reused in the wild and nothing may be dropped because of it.
 */
function splitReused(group: readonly Recorded<HopEntry>[]): Recorded<HopEntry>[][] {
  const logs = group.filter(({ entry }) => entry.source.signal === 'log');
  const spans = group.filter(({ entry }) => entry.source.signal === 'span');
  const count = Math.max(logs.length, spans.length);
  return Array.from({ length: count }, (_, i) => [logs[i], spans[i]].filter((each) => each !== undefined));
}

function toEnd(accounts: readonly Recorded<HopEntry>[]): End {
  const sorted = accounts.toSorted(byStrength);
  const [first] = sorted;
  if (first === undefined) throw new TypeError('end: needs at least one account');
  const { reporter, trace, side } = first.entry;
  return {
    side,
    service: reporter.service,
    instance: reporter.instance,
    traceId: trace?.traceId,
    spanIds: trace === undefined ? [] : [trace.spanId],
    parentSpanId: sorted.map(({ entry }) => entry.trace?.parentSpanId).find((parent) => parent !== undefined),
    isUnsure: false,
    accounts: sorted,
    id: smallest(sorted.map(({ entry }) => entry.id)),
  };
}
