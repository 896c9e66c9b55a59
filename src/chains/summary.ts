import type { EntryParty, ExchangeEntry } from '#observation';
import type { Completeness, Exchange, Gap, Hop, Recorded } from './chain.ts';
import type { Component } from './component.ts';
import { compareDecimals, sortedSet } from './order.ts';
import { basisRank } from './party-key.ts';

/** The oldest observation names the chain: what arrives later keeps the name. */
export function chainIdOf(component: Component): string {
  let oldest = '';
  for (const { entry } of everyEntry(component)) if (oldest === '' || entry.id < oldest) oldest = entry.id;
  return `c_${oldest.replaceAll('-', '')}`;
}

/** What a chain is known by: its traces, transactions, time, parties and services. */
export function summaryOf(component: Component, hops: readonly Hop[], exchanges: readonly Exchange[]) {
  const traceIds = new Set<string>();
  const services = new Set<string>();
  let [from, to] = ['', '0'];
  for (const { entry } of everyEntry(component)) {
    if (entry.trace !== undefined) traceIds.add(entry.trace.traceId);
    services.add(entry.reporter.service);
    if (from === '' || compareDecimals(entry.time, from) < 0) from = entry.time;
    if (compareDecimals(entry.time, to) > 0) to = entry.time;
  }
  const transactions = new Set<string>();
  for (const { authority } of hops) if (authority?.transaction !== undefined) transactions.add(authority.transaction);
  return {
    traceIds: sortedSet(traceIds),
    transactions: sortedSet(transactions),
    from: from === '' ? '0' : from,
    to,
    ...partiesOf([...hops, ...exchanges]),
    services: sortedSet(services),
  };
}

function* everyEntry({ drafts, exchanges }: Component): Generator<Recorded, undefined, undefined> {
  for (const { caller, callee } of drafts) {
    if (caller !== undefined) yield* caller.accounts;
    if (callee !== undefined) yield* callee.accounts;
  }
  yield* exchanges;
}

/** The first subject on the strongest basis, and the first longest actors on it. */
function partiesOf(named: readonly Pick<Hop, 'subject' | 'actors'>[]) {
  let subject: EntryParty | null = null;
  let [actors, rank]: [readonly EntryParty[], number] = [[], Number.POSITIVE_INFINITY];
  for (const each of named) {
    if (each.subject !== null && (subject === null || basisRank(each.subject) < basisRank(subject)))
      subject = each.subject;
    const own = rankOf(each.actors);
    if (own < rank || (own === rank && each.actors.length > actors.length)) [actors, rank] = [each.actors, own];
  }
  return { subject, actors };
}

const rankOf = (actors: readonly EntryParty[]): number =>
  actors.reduce((best, actor) => Math.min(best, basisRank(actor)), 99);

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
export function leafIndexesIn({ drafts, exchanges }: Component): string[] {
  const leaves = new Set(exchanges.map(({ leafIndex }) => String(leafIndex)));
  for (const { caller, callee } of drafts) {
    for (const leaf of caller?.leaves ?? []) leaves.add(leaf);
    for (const leaf of callee?.leaves ?? []) leaves.add(leaf);
  }
  return [...leaves].toSorted(compareDecimals);
}
