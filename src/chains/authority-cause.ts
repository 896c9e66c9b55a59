import {
  type Candidate,
  digestOfDraft,
  entriesOf,
  firstFew,
  headOf,
  MOST_CANDIDATES,
  NOTHING,
  placeOf,
  type Web,
} from './candidate.ts';
import { GRADES } from './chain.ts';
import type { Draft } from './crossing.ts';
import type { Derivation } from './derivation.ts';
import { type End, endsAt } from './end.ts';
import type { SeenExchange } from './lineage.ts';

/**
 * For a hop that names no known cause: the hops that carried its token before it, and those whose token its own was
 * exchanged from, nearest exchange first. Whoever reports making the call must have been reached. A token whose use is
 * already accounted for by both sides of another hop leads nowhere when nobody reports the call: it is a repeat.
 */
export function byAuthority(draft: Draft, web: Web): readonly Candidate[] {
  const digest = digestOfDraft(draft);
  if (digest === undefined || isRepeated(draft, digest, web)) return NOTHING;
  const isMade = web.lineage.derivedBy(digest).length > 0;
  const holders = firstFew([web.byDigest.get(digest)], (other) => other !== draft && hasPassedOn(other, draft, isMade));
  const seen = new Set<string>([digest]);
  let tokens: readonly string[] = [digest];
  for (let steps = 1; tokens.length > 0; steps += 1) {
    const derivations = tokens.flatMap((token) => web.lineage.derivedBy(token));
    const found = derivations.flatMap((derivation) => bearersOf(derivation, draft, steps, web));
    const near =
      steps === 1 ? [...holders.map((from) => passedOn(from, draft)), ...found.filter(isFitting(draft))] : [];
    const nearest = near.length > 0 ? near : found;
    if (nearest.length > 0) return strongestPerHop([...nearest, ...silentCallers(nearest, draft, web)]);
    tokens = [...new Set(derivations.map(({ tokenIn }) => tokenIn))].filter((token) => !seen.has(token));
    for (const token of tokens) seen.add(token);
  }
  return NOTHING;
}

/** Where only the callee reports a call: calls that nobody answered, that name it and no token, in traces that its token was carried in. */
function silentCallers(known: readonly Candidate[], { caller, callee }: Draft, web: Web): readonly Candidate[] {
  if (caller !== undefined || callee === undefined) return NOTHING;
  const says =
    'a call that names this service and no token, in a trace that carried its token; nobody reports its other side';
  const traces = new Set(known.slice(0, MOST_CANDIDATES).map(({ from }) => headOf(from).traceId));
  const calls = [...traces].map((traceId) => web.unanswered.get(placeOf(traceId, callee.service)));
  return firstFew(calls, (from) => from.caller?.digest === undefined).map((from) => ({
    from,
    grade: 'asserted',
    rests: [{ says, entries: [...entriesOf(from), ...callee.leaves] }],
  }));
}

const isRepeated = (draft: Draft, digest: string, web: Web): boolean =>
  draft.caller === undefined && web.accountedFor.has(digest);

const isFitting =
  (draft: Draft) =>
  ({ from }: Candidate): boolean =>
    hasReached(from, draft);

/** False when a hop is known to have reached another service than the one that makes the call. */
function hasReached(from: Draft, draft: Draft): boolean {
  if (draft.caller === undefined) return true;
  const reached = from.callee?.service ?? from.caller?.peer;
  return reached === undefined || reached === draft.caller.service;
}

/**
 * Whoever reports making the call had the token from a hop that reached it. A call that only its callee reports may be one
 * that only its caller does, where the token was made inside: one from outside may have come from outside again.
 */
function hasPassedOn(from: Draft, draft: Draft, isMade: boolean): boolean {
  if (draft.caller !== undefined) return hasReached(from, draft);
  return isMade && from.callee === undefined && from.caller?.service !== draft.callee?.service;
}

const passedOn = (from: Draft, draft: Draft): Candidate => ({
  from,
  grade: 'asserted',
  rests: [
    {
      says: 'carries the same token; how it was passed on was not seen',
      entries: [...entriesOf(from), ...entriesOf(draft)],
    },
  ],
});

/**
 * The hops that carried the token another came from. `proven` is only the one whose handling the exchange is seen to have
 * been made in, for a call that the same service reports making. Elsewhere the token shows whose authority it is, not
 * which of its uses led here, nor who passed it on: one use may have gone unreported. A token that was itself made for
 * one step is hardly used twice, a person's all day.
 */
function bearersOf(derivation: Derivation, draft: Draft, steps: number, web: Web): readonly Candidate[] {
  const { tokenIn, tokenOut, exchange } = derivation;
  const around = exchange === undefined ? undefined : bearerAround(exchange, draft, web);
  const isOwnCall = ({ callee }: Draft) => callee?.isVerified === true && callee.service === draft.caller?.service;
  const isSole = steps === 1 && web.lineage.derivedBy(tokenIn).length > 0 && web.byDigest.get(tokenOut)?.length === 1;
  const rests = (from: Draft, says: string) => [
    { says, entries: [...entriesOf(from), derivation.leaf, ...entriesOf(draft)] },
  ];
  if (around !== undefined && digestOfDraft(around) !== tokenIn) {
    const says =
      'its token was exchanged in the handling of this hop, which tells of none; how it was passed on was not seen';
    return around === draft ? [] : [{ from: around, grade: 'asserted', rests: rests(around, says) }];
  }
  if (around !== undefined && steps === 1 && isOwnCall(around)) {
    const says = 'its token was exchanged from this hop’s token, in the handling of this hop';
    return [{ from: around, grade: 'proven', rests: rests(around, says) }];
  }
  const bearers = around === undefined ? firstFew([web.byDigest.get(tokenIn)], (bearer) => bearer !== draft) : [around];
  return bearers.map((from) => ({
    from,
    grade: isSole && isOwnCall(from) ? 'corroborated' : 'asserted',
    rests: rests(from, saysOf(derivation, steps)),
  }));
}

function saysOf({ exchange }: Derivation, steps: number): string {
  if (steps > 1)
    return `its token descends from this hop’s token by ${steps} steps; what stood between was not observed`;
  return exchange === undefined
    ? 'its verified token names this hop’s token as its parent; by whom it was passed on was not seen'
    : 'its token was exchanged from this hop’s token; where, or by whom it was passed on, was not seen';
}

/**
 * The hop in whose handling the exchange was made: the first above it that carried the token or that reached a service other
 * than the issuer and tells of no token, if nothing on the way up forks. Whoever exchanged a token had it.
 */
function bearerAround({ entry }: SeenExchange, draft: Draft, web: Web): Draft | undefined {
  const seen = new Set<End>();
  let places = web.lineage.placesOf(entry);
  for (;;) {
    const place = places.find((each) => endsAt(each, web.bySpan).length > 0);
    const ends = endsAt(place, web.bySpan).filter((end) => !seen.has(end));
    const drafts = new Set(ends.flatMap((end) => web.draftsOf.get(end) ?? []));
    const [only] = drafts;
    if (only === undefined || drafts.size > 1 || ends.some((end) => end.isUnsure)) return undefined;
    const isBearer = only !== draft && digestOfDraft(only) === entry.tokenIn;
    if (isBearer || isSilent(only, entry)) return only;
    for (const end of ends) seen.add(end);
    places = ends.flatMap((end) => end.above);
  }
}

const isSilent = (draft: Draft, { reporter }: SeenExchange['entry']): boolean =>
  draft.callee?.side === 'callee' && draft.callee.service !== reporter.service && digestOfDraft(draft) === undefined;

/** Several exchanges may have made one token, of one token: the best known way to each hop stays. */
function strongestPerHop(candidates: readonly Candidate[]): readonly Candidate[] {
  const best = new Map<Draft, Candidate>();
  for (const candidate of candidates) {
    const known = best.get(candidate.from);
    if (known === undefined || GRADES.indexOf(candidate.grade) < GRADES.indexOf(known.grade))
      best.set(candidate.from, candidate);
  }
  return [...best.values()];
}
