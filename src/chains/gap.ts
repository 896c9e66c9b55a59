import type { HopEntry } from '#observation';
import { headOf, MOST_CANDIDATES } from './candidate.ts';
import type { Gap } from './chain.ts';
import { accountsOf, type Draft } from './crossing.ts';
import type { End } from './end.ts';
import type { Lineage } from './lineage.ts';
import type { Linking } from './link.ts';
import { sortedSet } from './order.ts';

const SAMPLED = 0x01; // W3C Trace Context, trace-flags

/** What a one-sided hop is measured against. */
interface Surroundings {
  /** Ends in whose course an exchange took place: the issuer told its side as an exchange. */
  readonly isExchanging: (end: End) => boolean;
  /** Spans under which the same service reports further calls: the wire was crossed there. */
  readonly callingSpans: ReadonlySet<string>;
  /** Hops with a predecessor. */
  readonly linked: ReadonlySet<string>;
  /** Hops that more could have led to than are listed. */
  readonly crowded: ReadonlySet<string>;
}

/** Every typed absence of a set of hops. A gap is never a root: it stands beside the hop that shows it. */
export function gapsOf(
  drafts: readonly Draft[],
  { links, crowded }: Linking,
  ends: readonly End[],
  lineage: Lineage,
): readonly Gap[] {
  const around: Surroundings = {
    isExchanging: (end) => lineage.isExchanging(end),
    callingSpans: new Set(
      ends.filter(({ side }) => side === 'caller').map((end) => spanKey(end, end.parentSpanId ?? '')),
    ),
    linked: new Set(links.map((link) => link.to)),
    crowded,
  };
  return drafts.flatMap((draft) => [
    ...withoutCallee(draft, around),
    ...withoutCaller(draft),
    ...unobservedParent(draft, around),
    ...dropped(draft),
    ...undisclosed(draft),
  ]);
}

function withoutCallee({ id: hop, caller, callee }: Draft, { isExchanging, callingSpans }: Surroundings): Gap[] {
  if (caller === undefined || callee !== undefined || isExchanging(caller)) return [];
  if (caller.spanIds.some((spanId) => callingSpans.has(spanKey(caller, spanId)))) return [];
  if (isUnsampled(caller)) {
    const says = `the trace was not sampled; the side that ${caller.service} called was never sent`;
    return [{ kind: 'unsampled', hop, says }];
  }
  return [
    { kind: 'caller_without_callee', hop, says: `${caller.service} reported a call that nobody reported receiving` },
  ];
}

function withoutCaller({ id: hop, caller, callee }: Draft): Gap[] {
  if (caller !== undefined || callee?.side !== 'callee') return [];
  if (callee.parentSpanId === undefined && !isDelegated(callee)) return []; // an entrance: nobody stands before it
  if (callee.parentSpanId !== undefined && isUnsampled(callee)) {
    const says = `the caller of ${callee.service} did not sample its trace; its side was never sent`;
    return [{ kind: 'unsampled', hop, says }];
  }
  return [
    { kind: 'callee_without_caller', hop, says: `${callee.service} reported a call that nobody reported making` },
  ];
}

function unobservedParent(draft: Draft, { linked, crowded }: Surroundings): Gap[] {
  const head = headOf(draft);
  if (crowded.has(draft.id)) {
    const says = `more than ${MOST_CANDIDATES} hops could have led to ${head.service} doing this: none is listed`;
    return [{ kind: 'parent_unobserved', hop: draft.id, says }];
  }
  if (head.side === 'callee' || head.parentSpanId === undefined || linked.has(draft.id)) return [];
  return [{ kind: 'parent_unobserved', hop: draft.id, says: `what made ${head.service} do this was not observed` }];
}

function dropped(draft: Draft): Gap[] {
  if (absentAs('dropped_by_sdk', draft).length === 0) return [];
  const says = 'the sender dropped attributes before sending; identity may be among them';
  return [{ kind: 'dropped_by_sdk', hop: draft.id, says }];
}

/** A call that carried no token has none to disclose anything: its sender withheld its identity from a stranger. */
function undisclosed(draft: Draft): Gap[] {
  const names = absentAs('not_disclosed', draft, ({ authority }) => authority?.verification.status !== 'absent');
  if (names.length === 0) return [];
  return [{ kind: 'not_disclosed', hop: draft.id, says: `the token does not disclose ${names.join(', ')}` }];
}

function absentAs(
  reason: string,
  { caller, callee }: Draft,
  counts: (entry: HopEntry) => boolean = () => true,
): readonly string[] {
  const names: string[] = [];
  for (const end of [caller, callee])
    for (const { entry } of end?.accounts ?? [])
      for (const name in entry.absent) if (entry.absent[name] === reason && counts(entry)) names.push(name);
  return names.length > 1 ? sortedSet(names) : names;
}

/** The token names somebody who acts for the subject: then somebody must have called. */
const isDelegated = (end: End): boolean => end.isVerified && end.accounts.some(({ entry }) => entry.actors.length > 0);

const isUnsampled = (end: End): boolean =>
  end.accounts.every(({ entry }) => ((entry.trace?.flags ?? SAMPLED) & SAMPLED) === 0);

const spanKey = (end: End, spanId: string): string => `${end.traceId}/${end.service}/${spanId}`;

/** So long after it happened, and after the first word of its chain, a report is late: what was judged until then did not know it. */
const LATE_SECONDS = 600;

/** Hops of one chain that were told late, by the collector's clock alone for the chain and by both clocks for the report. */
export function lateIn(drafts: readonly Draft[]): readonly Gap[] {
  const accounts = drafts.flatMap((draft) => accountsOf(draft).map(({ entry }) => ({ draft, entry })));
  const first = accounts.reduce(
    (least, { entry }) => Math.min(least, seconds(entry.received)),
    Number.POSITIVE_INFINITY,
  );
  const late = new Map<Draft, number>();
  for (const { draft, entry } of accounts) {
    const received = seconds(entry.received);
    if (received - first <= LATE_SECONDS) continue;
    const after = received - seconds(entry.endTime ?? entry.time);
    if (after > LATE_SECONDS) late.set(draft, Math.max(after, late.get(draft) ?? 0));
  }
  return [...late].map(([draft, after]) => {
    const says = `${headOf(draft).service} or whom it called told of this ${Math.round(after)} s after it happened`;
    return { kind: 'late', hop: draft.id, says };
  });
}

const seconds = (unixNano: string): number => Number(unixNano) / 1e9;
