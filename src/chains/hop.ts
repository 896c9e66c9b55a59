import type { EntryParty, HopEntry } from '#observation';
import type { Hop, ServiceRef } from './chain.ts';
import type { Draft } from './crossing.ts';
import { disagreementsOf } from './disagreement.ts';
import { firstOf, leavesIn, serviceOf } from './end.ts';
import { compareDecimals } from './order.ts';
import { basisRank } from './party-key.ts';

/** A hop before it is judged. */
export type UnjudgedHop = Omit<Hop, 'verdict' | 'reason'>;

/** Puts both sides of a hop together. The callee's account of identity and authority comes before the caller's. */
export function hopOf(draft: Draft): UnjudgedHop {
  const { caller, callee } = draft;
  const ends = [callee, caller];
  const accounts = ends.flatMap((end) => end?.accounts ?? []).map(({ entry }) => entry);
  const head = caller ?? callee;
  return {
    id: draft.id,
    kind: draft.kind,
    time: earliest(accounts),
    from: callerService(draft),
    to: calleeService(draft),
    protocol:
      firstOf(ends, ({ transport }) => (transport.protocol === 'unknown' ? undefined : transport.protocol)) ??
      'unknown',
    operation: firstOf(ends, (entry) => entry.operation) ?? null,
    resource: firstOf(ends, (entry) => entry.resource) ?? null,
    grade: draft.grade,
    rests: draft.rests,
    subject: bestParty(accounts.flatMap((entry) => entry.subject ?? [])),
    initiator: bestParty(accounts.flatMap((entry) => entry.initiator ?? [])),
    actors: bestActors(accounts),
    peer: firstOf(ends, (entry) => entry.peer) ?? null,
    authority: firstOf(ends, (entry) => entry.authority) ?? null,
    verification: firstOf([callee], (entry) => entry.authority?.verification) ?? null,
    requiredScopes: firstOf(ends, (entry) => entry.requiredScopes) ?? [],
    decision: firstOf(ends, (entry) => entry.decision) ?? null,
    outcome: firstOf(ends, (entry) => entry.outcome) ?? null,
    trace:
      head?.traceId === undefined || head.spanIds[0] === undefined
        ? null
        : { traceId: head.traceId, spanId: head.spanIds[0] },
    callerEntries: leavesIn(caller),
    calleeEntries: leavesIn(callee),
    disagreements: disagreementsOf(caller, callee),
  };
}

function callerService({ caller, callee, origin, kind }: Draft): ServiceRef | null {
  if (caller !== undefined) return serviceOf(caller);
  if (origin !== undefined) return serviceOf(origin);
  return kind === 'local' && callee !== undefined ? serviceOf(callee) : null;
}

function calleeService({ caller, callee }: Draft): ServiceRef | null {
  if (callee !== undefined) return serviceOf(callee);
  const name = firstOf([caller], ({ transport }) => transport.peerService ?? transport.peerAddress);
  return name === undefined ? null : { name, reported: false };
}

/** The party on the strongest basis; the earliest account among equals. */
function bestParty(parties: readonly EntryParty[]): EntryParty | null {
  return parties.reduce<EntryParty | null>(
    (best, party) => (best === null || basisRank(party) < basisRank(best) ? party : best),
    null,
  );
}

/** The actors one account names on the strongest basis; the longer chain among equals. Never mixed from several accounts. */
function bestActors(accounts: readonly HopEntry[]): readonly EntryParty[] {
  const rank = (actors: readonly EntryParty[]) => Math.min(99, ...actors.map(basisRank));
  return accounts
    .map((entry) => entry.actors)
    .reduce(
      (best, actors) =>
        rank(actors) < rank(best) || (rank(actors) === rank(best) && actors.length > best.length) ? actors : best,
      [],
    );
}

const earliest = (accounts: readonly HopEntry[]): string =>
  accounts.reduce((least, { time }) => (compareDecimals(time, least) < 0 ? time : least), accounts[0]?.time ?? '0');
