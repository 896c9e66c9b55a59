import type { EntryParty, HopEntry } from '#observation';
import type { Fact } from './chain.ts';
import { type End, firstOf } from './end.ts';
import { sortedSet } from './order.ts';
import { basisRank, describeParty, partyKey } from './party-key.ts';
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
  const differs = (what: string, pick: (entry: HopEntry) => string | undefined): readonly string[] => {
    const [a, b] = [firstOf([caller], pick), firstOf([callee], pick)];
    return a === undefined || b === undefined || a === b ? [] : [`${what}: caller says ${a}, callee says ${b}`];
  };
  // Two tokens hold two scopes and name two chains of actors: that is no contradiction beyond the tokens' own.
  const isOneToken = caller.digest === undefined || callee.digest === undefined || caller.digest === callee.digest;
  return [
    ...differs('token digest differs', (entry) => entry.authority?.digest?.slice(0, 12)),
    ...differs('subject differs', (entry) => entry.subject && signedName(entry.subject)),
    ...(isOneToken ? differs('actors differ', ({ actors }) => signedNames(actors)) : []),
    ...(isOneToken ? differs('scope differs', (entry) => scopesIn(entry)) : []),
    ...differs('outcome differs', ({ outcome }) => (outcome?.status === 'unknown' ? undefined : outcome?.status)),
  ];
}

const scopesIn = ({ authority }: HopEntry): string | undefined =>
  authority?.scopes === undefined ? undefined : sortedSet(authority.scopes).join(' ') || 'none';

/** Only identities that came from a token can contradict each other; an attribute may name the same person another way. */
const signedName = (party: EntryParty): string | undefined =>
  basisRank(party) <= 2 ? `${describeParty(party)} (${partyKey(party)})` : undefined;

function signedNames(actors: readonly EntryParty[]): string | undefined {
  const names = actors.map(signedName);
  return names.length > 0 && names.every((name) => name !== undefined) ? names.join(', then ') : undefined;
}

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
