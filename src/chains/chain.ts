import type { Authority, Entry, EntryParty, ExchangeEntry, HopEntry, SpanRef, Verification } from '#observation';

/** How well two things are known to belong together, strongest first (design section 5). */
export const GRADES = ['proven', 'corroborated', 'asserted', 'inferred', 'ambiguous'] as const;
export type Grade = (typeof GRADES)[number];

/** What a chain or hop amounts to, worst first. */
export const VERDICTS = ['suspicious', 'excessive', 'denied', 'unknown', 'permitted'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** An entry with its place in the ledger: what stitching takes in. */
export interface Recorded<E extends Entry = Entry> {
  readonly leafIndex: bigint;
  readonly entry: E;
}

/** A service as its reporter names it, or as the other end names it when it did not report. */
export interface ServiceRef {
  readonly name: string;
  readonly instance?: string;
  /** False when only the other end speaks of it. */
  readonly reported: boolean;
}

/** A fact a link, gap or finding rests on: plain words and the entries that say so. */
export interface Fact {
  readonly says: string;
  readonly entries: readonly string[]; // leaf indexes, decimal
}

/** One crossing, with what each side said. `grade` is how well the crossing itself is known. */
export interface Hop<P = EntryParty> {
  readonly id: string; // smallest observation id of its accounts
  readonly kind: 'crossing' | 'local';
  readonly time: string; // unix nanoseconds, decimal: the earliest claim
  readonly from: ServiceRef | null;
  readonly to: ServiceRef | null;
  readonly protocol: HopEntry['transport']['protocol'];
  readonly operation: string | null;
  readonly resource: string | null;
  readonly grade: Grade;
  readonly rests: readonly Fact[];
  readonly subject: P | null;
  readonly initiator: P | null;
  readonly actors: readonly P[];
  readonly peer: P | null;
  /** The callee's account of the grant, else what the caller says it sent. */
  readonly authority: Authority | null;
  /** What the callee says of checking the credential; null when it says nothing. The caller's word never stands here. */
  readonly verification: Verification | null;
  readonly requiredScopes: readonly string[];
  readonly decision: HopEntry['decision'] | null;
  readonly outcome: HopEntry['outcome'] | null;
  readonly trace: SpanRef | null;
  readonly callerEntries: readonly string[]; // leaf indexes, decimal, ascending
  readonly calleeEntries: readonly string[];
  readonly disagreements: readonly Fact[];
  readonly verdict: Verdict;
  readonly reason: string; // one plain sentence
}

/** Why one hop led to another. `ambiguous` links come as several, one per candidate. */
export interface Link {
  readonly from: string; // hop id
  readonly to: string; // hop id
  readonly grade: Grade;
  readonly rests: readonly Fact[];
}

export const GAP_KINDS = [
  'caller_without_callee',
  'callee_without_caller',
  'parent_unobserved',
  'unsampled',
  'dropped_by_sdk',
  'not_disclosed',
  'late',
] as const;
export type GapKind = (typeof GAP_KINDS)[number];

/** A typed absence, or what was absent for long and came late. Never drawn as a root. */
export interface Gap {
  readonly kind: GapKind;
  readonly hop: string; // hop id it stands beside
  readonly says: string;
}

/** A token exchange seen by whoever did it. */
export interface Exchange<P = EntryParty> {
  readonly id: string;
  readonly time: string;
  readonly leafIndex: string;
  readonly issuer: string | null;
  readonly requester: P | null;
  readonly subject: P | null;
  readonly actors: readonly P[];
  readonly tokenIn: string;
  readonly tokenOut: string | null;
  readonly audience: readonly string[];
  readonly scopesHeld: readonly string[] | null;
  readonly scopesRequested: readonly string[] | null;
  readonly scopesGranted: readonly string[] | null;
  readonly decision: ExchangeEntry['decision'];
}

export type Severity = 'notice' | 'warning' | 'critical';

/** A rule's result, with the facts that triggered it. */
export interface Finding {
  readonly rule: string; // id, e.g. scope_widened
  readonly title: string;
  readonly severity: Severity;
  /** What this finding makes of its hop and chain; null where it judges nothing. */
  readonly verdict: Verdict | null;
  readonly hop: string | null; // hop id, or the exchange's id
  readonly says: string; // one plain sentence
  readonly facts: readonly Fact[];
  readonly owasp: readonly string[];
  readonly thresholds: string; // the version of what the rule judged by
}

export interface Completeness {
  readonly complete: boolean;
  /** True when more entries belong here than are stitched together: links to those are missing, none is wrong. */
  readonly bounded: boolean;
  readonly says: string; // one plain sentence
  readonly oneSided: number; // hops told by one side only
  readonly gaps: number;
}

/** The directed graph of hops of one transaction, judged. The same set of entries gives the same chain, byte for byte. */
export interface Chain<P = EntryParty> {
  readonly v: 1;
  readonly id: string; // c_ and 32 hex digits
  readonly traceIds: readonly string[];
  readonly transactions: readonly string[];
  readonly from: string; // unix nanoseconds, decimal
  readonly to: string;
  /** The strongest-known subject, and the actors of the longest delegation, oldest first. */
  readonly subject: P | null;
  readonly actors: readonly P[];
  readonly services: readonly string[];
  readonly hops: readonly Hop<P>[]; // in tree order: a parent before its children
  readonly links: readonly Link[];
  readonly exchanges: readonly Exchange<P>[];
  readonly gaps: readonly Gap[];
  readonly findings: readonly Finding[];
  readonly completeness: Completeness;
  readonly verdict: Verdict;
  readonly reason: string; // one plain sentence
  readonly entries: readonly string[]; // leaf indexes, decimal, ascending
}
