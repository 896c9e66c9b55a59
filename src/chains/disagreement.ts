import type { EntryParty, HopEntry } from '#observation';
import type { Fact } from './chain.ts';
import { type End, firstOf } from './end.ts';
import { sortedSet } from './order.ts';
import { basisRank, describeParty, isSigned, partyKey } from './party-key.ts';
import { DEFAULT_THRESHOLDS } from './thresholds.ts';

/** Further apart than this, two clocks disagree. */
const SKEW_SECONDS = DEFAULT_THRESHOLDS.clockSkewSeconds;

/** Where the two sides contradict each other: in token, subject, actors, scope, outcome and time. None of it is resolved. */
export function disagreementsOf(caller: End | undefined, callee: End | undefined): readonly Fact[] {
  if (caller === undefined || callee === undefined) return NONE;
  const entries = [...caller.leaves, ...callee.leaves];
  const said = [...claims(caller, callee), ...times(caller, callee)];
  return said.length === 0 ? NONE : said.map((says) => ({ says, entries }));
}

const NONE: readonly Fact[] = [];

function claims(caller: End, callee: End): readonly string[] {
  // Two tokens hold two scopes and name two chains of actors: that is no contradiction beyond the tokens' own.
  const isOneToken = caller.digest === undefined || callee.digest === undefined || caller.digest === callee.digest;
  return [
    ...differing('token digest differs', caller.digest?.slice(0, 12), callee.digest?.slice(0, 12)),
    ...differing('subject differs', signedName(caller.subject), signedName(callee.subject)),
    ...(isOneToken ? differing('actors differ', ...actorsOf(caller, callee)) : NOTHING),
    ...(isOneToken ? differing('scope differs', ...scopesOf(caller, callee)) : NOTHING),
    ...differing('outcome differs', outcomeOf(caller), outcomeOf(callee)),
  ];
}

const NOTHING: readonly string[] = [];

const differing = (what: string, sent?: string, received?: string): readonly string[] =>
  sent === undefined || received === undefined || sent === received
    ? NOTHING
    : [`${what}: caller says ${sent}, callee says ${received}`];

const outcomeOf = (end: End): string | undefined =>
  firstOf([end], ({ outcome }) => (outcome?.status === 'unknown' ? undefined : outcome?.status));

/** What each side says of the scopes, where it is not the same. */
function scopesOf(caller: End, callee: End): readonly string[] {
  const [sent, received] = [scopesIn(caller), scopesIn(callee)];
  if (sent === undefined || received === undefined || isSameList(sent, received)) return NOTHING;
  return [sent, received].map((scopes) => sortedSet(scopes).join(' ') || 'none');
}

const scopesIn = (end: End) => firstOf([end], ({ authority }) => authority?.scopes);

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

/** Only identities that came from a token can contradict each other; an attribute may name the same person another way. */
const signedName = (party: EntryParty | undefined): string | undefined =>
  party === undefined || basisRank(party) > 2 ? undefined : `${describeParty(party)} (${partyKey(party)})`;

/** What each side says of the actors, where both know all of them from a token. */
function actorsOf(caller: End, callee: End): readonly string[] {
  const [sent, received] = [signedActors(caller), signedActors(callee)];
  return sent === undefined || received === undefined
    ? NOTHING
    : [sent, received].map((actors) => actors.map(signedName).join(', then '));
}

const signedActors = (end: End) =>
  firstOf([end], ({ actors }) => (actors.length > 0 && actors.every(isSigned) ? actors : undefined));

/** A call begins no earlier at the callee than at the caller, and no later than the caller saw its answer; a message waits as long as it may. */
function times(caller: End, callee: End): readonly string[] {
  const [sent, received] = [caller.accounts[0]?.entry, callee.accounts[0]?.entry];
  if (sent === undefined || received === undefined) return [];
  const early = secondsBetween(received.time, sent.time);
  if (early > SKEW_SECONDS)
    return [`time differs: the callee began ${Math.round(early)} s before the caller called, by their own clocks`];
  const end = firstOf([caller], ({ endTime }) => endTime);
  const late = end === undefined || isMessage(sent) || isMessage(received) ? 0 : secondsBetween(end, received.time);
  return late > SKEW_SECONDS
    ? [`time differs: the callee began ${Math.round(late)} s after the caller saw the call end, by their own clocks`]
    : [];
}

const isMessage = ({ transport }: HopEntry): boolean => transport.protocol === 'messaging';

/** From one to the other; nanoseconds as doubles are exact to a microsecond, which is enough for whole seconds. */
const secondsBetween = (from: string, to: string): number => (Number(to) - Number(from)) / 1e9;
