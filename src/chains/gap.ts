import type { HopEntry } from '#observation';
import { headOf } from './candidate.ts';
import type { Gap, Link } from './chain.ts';
import type { Draft } from './crossing.ts';
import type { End } from './end.ts';
import type { Lineage } from './lineage.ts';
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
}

/** Every typed absence of a set of hops. A gap is never a root: it stands beside the hop that shows it. */
export function gapsOf(
  drafts: readonly Draft[],
  links: readonly Link[],
  ends: readonly End[],
  lineage: Lineage,
): readonly Gap[] {
  const exchanging = [...lineage.exchangingEnds.values()];
  const around: Surroundings = {
    isExchanging: (end) => exchanging.some((ends) => ends.has(end)),
    callingSpans: new Set(
      ends.filter(({ side }) => side === 'caller').map((end) => spanKey(end, end.parentSpanId ?? '')),
    ),
    linked: new Set(links.map((link) => link.to)),
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

function unobservedParent(draft: Draft, { linked }: Surroundings): Gap[] {
  const head = headOf(draft);
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

const absentAs = (
  reason: string,
  { caller, callee }: Draft,
  counts: (entry: HopEntry) => boolean = () => true,
): readonly string[] =>
  sortedSet(
    [caller, callee]
      .flatMap((end) => end?.accounts ?? [])
      .flatMap(({ entry }) => (counts(entry) ? Object.entries(entry.absent) : []))
      .flatMap(([name, why]) => (why === reason ? [name] : [])),
  );

/** The token names somebody who acts for the subject: then somebody must have called. */
const isDelegated = (end: End): boolean => end.isVerified && end.accounts.some(({ entry }) => entry.actors.length > 0);

const isUnsampled = (end: End): boolean =>
  end.accounts.every(({ entry }) => ((entry.trace?.flags ?? SAMPLED) & SAMPLED) === 0);

const spanKey = (end: End, spanId: string): string => `${end.traceId}/${end.service}/${spanId}`;
