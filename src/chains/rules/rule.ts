import type { Exchange, Fact, Finding, Gap, Link, Severity, Verdict } from '../chain.ts';
import type { UnjudgedHop } from '../hop.ts';

/** What a rule may look at: one chain's parts, and who else in the set used the same tokens. */
export interface Evidence {
  readonly hops: readonly UnjudgedHop[];
  readonly links: readonly Link[];
  readonly gaps: readonly Gap[];
  readonly exchanges: readonly Exchange[];
  readonly hop: (id: string) => UnjudgedHop | undefined;
  /** Every hop of the set, of this chain and others, that carries a token digest. */
  readonly usesOf: (digest: string) => readonly UnjudgedHop[];
  /** The network address the callee saw, without port. */
  readonly peerHostOf: (hop: UnjudgedHop) => string | undefined;
  /** True when a hop has a predecessor, certain or among candidates. */
  readonly isLed: (hopId: string) => boolean;
  /** True when the callee received a trace context: somebody claims to stand before it. */
  readonly namesParent: (hop: UnjudgedHop) => boolean;
  /** True when a hop passes on the very token of the hop that led to it. */
  readonly continuesToken: (hop: UnjudgedHop) => boolean;
}

/** One way a chain can be wrong. Its verdict is what the finding makes of the hop and the chain; null for a notice. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly verdict: Verdict | null;
  /** OWASP Non-Human Identities Top 10 (2025) and Agentic Top 10 (2026) ids. */
  readonly owasp: readonly string[];
  /** True when the rule concludes from something not being there: it is not asked where entries were left out. */
  readonly restsOnAbsence?: true;
  readonly judge: (evidence: Evidence) => readonly Violation[];
}

export interface Violation {
  readonly hop: string | null;
  readonly says: string;
  readonly facts: readonly Fact[];
}

export const findingOf = (rule: Rule, violation: Violation): Finding => ({
  rule: rule.id,
  title: rule.title,
  severity: rule.severity,
  verdict: rule.verdict,
  owasp: rule.owasp,
  ...violation,
});

export const entriesOfHop = (hop: UnjudgedHop): string[] => [...hop.callerEntries, ...hop.calleeEntries];

/** The scopes asked for that are not among those held: exact set comparison. */
export const beyond = (asked: readonly string[], held: readonly string[]): string[] =>
  asked.filter((scope) => !held.includes(scope));

export const nameOf = (hop: UnjudgedHop): string =>
  `${hop.from?.name ?? 'somebody'} → ${hop.to?.name ?? 'somebody'}${hop.operation === null ? '' : ` (${hop.operation})`}`;
