import type { EntryParty, ExchangeEntry } from '#observation';
import type { Completeness, Exchange, Gap, Hop, Recorded } from './chain.ts';
import type { Component } from './component.ts';
import { accountsOf } from './crossing.ts';
import { compareDecimals, smallest, sortedSet } from './order.ts';
import { basisRank } from './party-key.ts';

/** The oldest observation names the chain: what arrives later keeps the name. */
export function chainIdOf({ drafts, exchanges }: Component): string {
  const ids = [...drafts.flatMap(accountsOf), ...exchanges].map(({ entry }) => entry.id);
  return `c_${ids.length === 0 ? '' : smallest(ids).replaceAll('-', '')}`;
}

/** What a chain is known by: its traces, transactions, time, parties and services. */
export function summaryOf(component: Component, hops: readonly Hop[], exchanges: readonly Exchange[]) {
  const accounts = [...component.drafts.flatMap(accountsOf), ...component.exchanges];
  const times = accounts.map(({ entry }) => entry.time);
  const named = [...hops, ...exchanges];
  const longest = named.toSorted((a, b) => rankOf(a.actors) - rankOf(b.actors) || b.actors.length - a.actors.length)[0];
  return {
    traceIds: sortedSet(accounts.flatMap(({ entry }) => entry.trace?.traceId ?? [])),
    transactions: sortedSet(hops.flatMap((hop) => hop.authority?.transaction ?? [])),
    from: times.reduce((least, time) => (compareDecimals(time, least) < 0 ? time : least), times[0] ?? '0'),
    to: times.reduce((most, time) => (compareDecimals(most, time) < 0 ? time : most), times[0] ?? '0'),
    subject: named.flatMap((each) => each.subject ?? []).toSorted((a, b) => basisRank(a) - basisRank(b))[0] ?? null,
    actors: longest?.actors ?? [],
    services: sortedSet(accounts.map(({ entry }) => entry.reporter.service)),
  };
}

const rankOf = (actors: readonly EntryParty[]): number => Math.min(99, ...actors.map(basisRank));

/** What is missing, in one sentence. */
export function completenessOf(hops: readonly Hop[], gaps: readonly Gap[], bounded: boolean): Completeness {
  const oneSided = gaps.filter(
    ({ kind }) => kind === 'caller_without_callee' || kind === 'callee_without_caller' || kind === 'unsampled',
  ).length;
  const missing = [
    ...new Set(gaps.filter(({ kind }) => kind !== 'late').map((gap) => gap.says)),
    ...(bounded ? [BOUNDED] : []),
  ];
  const late = gaps.filter(({ kind }) => kind === 'late').length;
  const says =
    missing.length === 0
      ? `complete: every call among ${hops.length} hops is accounted for`
      : `incomplete: ${missing.join('; ')}`;
  return {
    complete: missing.length === 0,
    bounded,
    says: late === 0 ? says : `${says}; told late of ${late} of its hops`,
    oneSided,
    gaps: gaps.length,
  };
}

const BOUNDED =
  'its traces or tokens occur in more entries than are stitched together; links to those are not shown, and nothing is concluded from their absence';

/** An observed exchange as a chain shows it. */
export function exchangeOf({ leafIndex, entry }: Recorded<ExchangeEntry>): Exchange {
  return {
    id: entry.id,
    time: entry.time,
    leafIndex: String(leafIndex),
    issuer: entry.issuer ?? null,
    requester: entry.requester ?? null,
    subject: entry.subject ?? null,
    actors: entry.actors,
    tokenIn: entry.tokenIn,
    tokenOut: entry.tokenOut ?? null,
    audience: entry.audience ?? [],
    scopesHeld: entry.scopesHeld ?? null,
    scopesRequested: entry.scopesRequested ?? null,
    scopesGranted: entry.scopesGranted ?? null,
    decision: entry.decision,
  };
}

/** Every entry a chain rests on, ascending. */
export const leafIndexesIn = ({ drafts, exchanges }: Component): string[] =>
  [...new Set([...drafts.flatMap(accountsOf), ...exchanges].map(({ leafIndex }) => leafIndex))]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map(String);
