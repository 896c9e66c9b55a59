import type { EntryParty, HopEntry } from '#observation';
import type { Hop, ServiceRef } from './chain.ts';
import type { Draft } from './crossing.ts';
import { disagreementsOf } from './disagreement.ts';
import { type End, firstOf, leavesIn, serviceOf } from './end.ts';
import { compareDecimals } from './order.ts';
import { basisRank } from './party-key.ts';

/** A hop before it is judged. */
export type UnjudgedHop = Omit<Hop, 'verdict' | 'reason'>;

/** Puts both sides of a hop together. The callee's account of identity and authority comes before the caller's. */
export function hopOf(draft: Draft): UnjudgedHop {
  const { caller, callee } = draft;
  const ends = [callee, caller];
  const accounts = [...(callee?.accounts ?? []), ...(caller?.accounts ?? [])];
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
    subject: bestParty(accounts, (entry) => entry.subject),
    initiator: bestParty(accounts, (entry) => entry.initiator),
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

type Accounts = End['accounts'];

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
function bestParty(accounts: Accounts, pick: (entry: HopEntry) => EntryParty | undefined): EntryParty | null {
  let best: EntryParty | null = null;
  for (const { entry } of accounts) {
    const party = pick(entry);
    if (party !== undefined && (best === null || basisRank(party) < basisRank(best))) best = party;
  }
  return best;
}

/** The actors one account names on the strongest basis; the longer chain among equals. Never mixed from several accounts. */
function bestActors(accounts: Accounts): readonly EntryParty[] {
  let [best, rank]: [readonly EntryParty[], number] = [[], 99];
  for (const { entry } of accounts) {
    const own = entry.actors.reduce((least, actor) => Math.min(least, basisRank(actor)), 99);
    if (own < rank || (own === rank && entry.actors.length > best.length)) [best, rank] = [entry.actors, own];
  }
  return best;
}

function earliest(accounts: Accounts): string {
  let least = accounts[0]?.entry.time ?? '0';
  for (const { entry } of accounts) if (compareDecimals(entry.time, least) < 0) least = entry.time;
  return least;
}
