import type { ExchangeEntry, Trace } from '#observation';
import type { Recorded } from './chain.ts';
import { type Derivation, derivationsOf } from './derivation.ts';
import { type End, endsAt, indexBySpan, type SpanIndex } from './end.ts';
import { compare, groupBy } from './order.ts';
import type { Places } from './place.ts';

export type SeenExchange = Recorded<ExchangeEntry>;

/** Which token came from which, by observed exchanges (RFC 8693) and by the parent a verified token names: the only ways authority is followed across tokens. */
export interface Lineage {
  readonly exchanges: readonly SeenExchange[];
  /** What leads from one token digest to another, oldest first; empty when they are the same token; undefined when nothing is known to. */
  path(from: string, to: string): readonly Derivation[] | undefined;
  /** Every exchange a token came out of: an issuer may answer two requests with one token. */
  mintedBy(digest: string): readonly SeenExchange[];
  /** The same, and every parent the token names itself. */
  derivedBy(digest: string): readonly Derivation[];
  /** An exchange in which the issuer accepted this token, made in this end's own handling and not further down. */
  exchangedBy(tokenIn: string, end: End): SeenExchange | undefined;
  /** An exchange that somebody else reports to have answered within this very call. */
  answeredIn(caller: End): SeenExchange | undefined;
  /** True when in this end's course somebody, or this issuer, reports exchanges. */
  isExchanging(end: End, issuer?: string): boolean;
  /** An exchange's own place in its trace, and the one above it. */
  readonly placesOf: PlacesOf;
}

/** `ends` are all ends of the set: an exchange is placed under the ends its span descends from. */
export function lineageOf(exchanges: readonly SeenExchange[], ends: readonly End[], places: Places): Lineage {
  const sorted = exchanges.toSorted((a, b) => compare(a.entry.id, b.entry.id));
  const minted = groupBy(sorted, ({ entry }) => entry.tokenOut);
  const taken = groupBy(sorted, ({ entry }) => entry.tokenIn);
  const derived = derivationsOf(sorted, ends);
  const bySpan = indexBySpan(ends);
  const placesOf: PlacesOf = ({ trace }) => (trace === undefined ? [] : placesIn(trace, places));
  const answered = answeredOf(sorted, placesOf, bySpan);
  return {
    exchanges: sorted,
    mintedBy: (digest) => minted.get(digest) ?? [],
    derivedBy: (digest) => derived.get(digest) ?? [],
    path: (from, to) => walkBack(derived, from, to),
    answeredIn: (caller) => answered.get(caller),
    exchangedBy: (tokenIn, end) =>
      taken
        .get(tokenIn)
        ?.find(({ entry }) => hasAccepted(entry) && isMadeBy(entry, end, endsAbove(placesOf(entry), bySpan))),
    placesOf,
    isExchanging: exchangingIn(sorted, placesOf, bySpan),
  };
}

function answeredOf(
  exchanges: readonly SeenExchange[],
  placesOf: PlacesOf,
  bySpan: SpanIndex,
): ReadonlyMap<End, SeenExchange> {
  const answered = new Map<End, SeenExchange>();
  for (const exchange of exchanges) {
    const [above, further] = placesOf(exchange.entry);
    const [nearest] = [...endsAt(above, bySpan), ...endsAt(further, bySpan)];
    if (nearest?.side !== 'caller' || nearest.service === exchange.entry.reporter.service) continue;
    if (!answered.has(nearest)) answered.set(nearest, exchange);
  }
  return answered;
}

/** All of them are found when somebody asks for the first. */
function exchangingIn(
  exchanges: readonly SeenExchange[],
  placesOf: PlacesOf,
  bySpan: SpanIndex,
): Lineage['isExchanging'] {
  let found: ReadonlyMap<string, ReadonlySet<End>> | undefined;
  return (end, issuer) => {
    found ??= exchangingEnds(exchanges, placesOf, bySpan);
    if (issuer !== undefined) return found.get(issuer)?.has(end) === true;
    return [...found.values()].some((ends) => ends.has(end));
  };
}

function exchangingEnds(exchanges: readonly SeenExchange[], placesOf: PlacesOf, bySpan: SpanIndex) {
  const entries = exchanges.map(({ entry }) => entry);
  const byReporter = groupBy(entries, ({ reporter }) => reporter.service);
  return new Map(
    [...byReporter].map(([service, told]) => [service, new Set(endsAbove(told.flatMap(placesOf), bySpan))]),
  );
}

const SAME_TOKEN: readonly Derivation[] = [];

/** The shortest way back, breadth first; what was seen once is not walked again, so cycles end. */
function walkBack(
  derived: ReadonlyMap<string, readonly Derivation[]>,
  from: string,
  to: string,
): readonly Derivation[] | undefined {
  if (from === to) return SAME_TOKEN;
  if (!derived.has(to)) return undefined;
  const ways = new Map<string, readonly Derivation[]>([[to, SAME_TOKEN]]);
  for (const [digest, way] of ways) {
    if (digest === from) return way;
    for (const derivation of derived.get(digest) ?? [])
      if (!ways.has(derivation.tokenIn)) ways.set(derivation.tokenIn, [derivation, ...way]);
  }
  return undefined;
}

/** Refusals an issuer gives only after it took the subject token as valid (RFC 6749 section 5.2, RFC 8693 section 2.2.2). */
const REFUSED_AFTER_ACCEPTING = ['invalid_scope', 'invalid_target'];
const hasAccepted = ({ decision }: ExchangeEntry): boolean =>
  decision.outcome === 'permit' || REFUSED_AFTER_ACCEPTING.includes(decision.reason ?? '');

/** True when no other service stands between the exchange and this end, save the one that reports the exchange. */
function isMadeBy({ reporter }: ExchangeEntry, end: End, above: Iterable<End>): boolean {
  for (const each of above) {
    if (each === end) return true;
    if (each.side === 'callee' && each.service !== reporter.service) return false;
  }
  return false;
}

/** Every end at or above these places by parentage, each once, the nearest first. Found only as far as somebody asks. */
function* endsAbove(places: readonly number[], bySpan: SpanIndex): Generator<End, undefined, undefined> {
  const found = new Set<End>();
  for (const place of places) for (const end of endsAt(place, bySpan)) found.add(end);
  for (const end of found) {
    yield end;
    for (const place of end.above) for (const next of endsAt(place, bySpan)) found.add(next);
  }
}

type PlacesOf = (entry: ExchangeEntry) => readonly number[];

const placesIn = ({ traceId, spanId, parentSpanId }: Trace, places: Places): readonly number[] =>
  parentSpanId === undefined
    ? [places.at(traceId, spanId)]
    : [places.at(traceId, spanId), places.at(traceId, parentSpanId)];
