import type { ExchangeEntry, Trace } from '#observation';
import type { Recorded } from './chain.ts';
import { type End, indexBySpan, stepsUp } from './end.ts';
import { compare, groupBy } from './order.ts';

export type SeenExchange = Recorded<ExchangeEntry>;

/** Which token came from which, by observed exchanges (RFC 8693): the only way authority is followed across tokens. */
export interface Lineage {
  readonly exchanges: readonly SeenExchange[];
  /** The exchanges that lead from one token digest to another, oldest first; empty when they are the same token; undefined when none is known. */
  path(from: string, to: string): readonly SeenExchange[] | undefined;
  /** Every exchange a token came out of: an issuer may answer two requests with one token. */
  mintedBy(digest: string): readonly SeenExchange[];
  /** An exchange in which the issuer accepted this token, made in this end's own handling and not further down. */
  exchangedBy(tokenIn: string, end: End): SeenExchange | undefined;
  /** An exchange that somebody else reports to have answered within this very call. */
  answeredIn(caller: End): SeenExchange | undefined;
}

/** `ends` are all ends of the set: an exchange is placed under the ends its span descends from. */
export function lineageOf(exchanges: readonly SeenExchange[], ends: readonly End[]): Lineage {
  const sorted = exchanges.toSorted((a, b) => compare(a.entry.id, b.entry.id));
  const minted = groupBy(sorted, ({ entry }) => entry.tokenOut);
  const taken = groupBy(sorted, ({ entry }) => entry.tokenIn);
  const bySpan = indexBySpan(ends);
  const answered = new Map(
    sorted.toReversed().flatMap((exchange) => {
      const nearest = ancestorsOf(exchange.entry, bySpan).next().value;
      return nearest?.side === 'caller' && nearest.service !== exchange.entry.reporter.service
        ? [[nearest, exchange]]
        : [];
    }),
  );
  return {
    exchanges: sorted,
    mintedBy: (digest) => minted.get(digest) ?? [],
    path: (from, to) => walkBack(minted, from, to),
    answeredIn: (caller) => answered.get(caller),
    exchangedBy: (tokenIn, end) =>
      taken.get(tokenIn)?.find(({ entry }) => hasAccepted(entry) && isMadeBy(entry, end, bySpan)),
  };
}

/** The shortest way back, breadth first; what was seen once is not walked again, so cycles end. */
function walkBack(
  minted: ReadonlyMap<string, readonly SeenExchange[]>,
  from: string,
  to: string,
): readonly SeenExchange[] | undefined {
  const ways = new Map<string, readonly SeenExchange[]>([[to, []]]);
  for (const [digest, way] of ways) {
    if (digest === from) return way;
    for (const exchange of minted.get(digest) ?? []) {
      const { tokenIn } = exchange.entry;
      if (!ways.has(tokenIn)) ways.set(tokenIn, [exchange, ...way]);
    }
  }
  return undefined;
}

/** Refusals an issuer gives only after it took the subject token as valid (RFC 6749 section 5.2, RFC 8693 section 2.2.2). */
const REFUSED_AFTER_ACCEPTING = ['invalid_scope', 'invalid_target'];
const hasAccepted = ({ decision }: ExchangeEntry): boolean =>
  decision.outcome === 'permit' || REFUSED_AFTER_ACCEPTING.includes(decision.reason ?? '');

/** True when no other service stands between the exchange and this end, save the one that reports the exchange. */
function isMadeBy(entry: ExchangeEntry, end: End, bySpan: ReadonlyMap<string, readonly End[]>): boolean {
  for (const above of ancestorsOf(entry, bySpan)) {
    if (above === end) return true;
    if (above.side === 'callee' && above.service !== entry.reporter.service) return false;
  }
  return false;
}

/** Every end above an exchange's span, by parentage, the nearest first. Found only as far as somebody asks. */
function* ancestorsOf(
  entry: ExchangeEntry,
  bySpan: ReadonlyMap<string, readonly End[]>,
): Generator<End, undefined, undefined> {
  yield* endsAbove([entry], bySpan);
}

/** Every end above any of these exchanges, each once. */
export function* endsAbove(
  entries: readonly ExchangeEntry[],
  bySpan: ReadonlyMap<string, readonly End[]>,
): Generator<End, undefined, undefined> {
  const found = new Set<End>();
  const keys = new Set(entries.flatMap(({ trace }) => (trace === undefined ? [] : spanKeysOf(trace))));
  for (const key of keys) {
    for (const end of bySpan.get(key) ?? []) {
      if (found.has(end)) continue;
      found.add(end);
      yield end;
      for (const next of stepsUp(end)) keys.add(next);
    }
  }
}

/** A place in a trace, and the one above it. */
export const spanKeysOf = ({ traceId, spanId, parentSpanId }: Trace): string[] =>
  [spanId, parentSpanId].flatMap((id) => (id === undefined ? [] : [`${traceId}/${id}`]));
