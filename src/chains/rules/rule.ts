import type { EntryParty, HopEntry } from '#observation';
import type { Finding, Severity, Verdict } from '../chain.ts';
import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';

/**
 * One way a chain can be wrong. Its verdict is what the finding makes of the hop and the chain; null where it is worth knowing
 * and judges nothing. No rule may fire because a credential was verified: more evidence of verification never makes a hop
 * more suspicious (test/chains/verdict.test.ts).
 */
export interface Rule {
  readonly id: string;
  readonly title: string;
  /** What it means when this is found. */
  readonly meaning: string;
  /** What would clear it. */
  readonly clears: string;
  /** How it can be wrong. */
  readonly wrong: string;
  readonly severity: Severity;
  readonly verdict: Verdict | null;
  /** OWASP Non-Human Identities Top 10 (2025) and Agentic Top 10 (2026) ids. */
  readonly owasp: readonly string[];
  /** True when the rule concludes from something not being there: it is not asked where entries were left out. */
  readonly restsOnAbsence?: true;
  /** True when the rule needs to know what was before the chain: without that it says nothing. */
  readonly restsOnHistory?: true;
  readonly judge: (evidence: Evidence) => readonly Violation[];
}

export { hasPassed, isMachine, machineIn } from '../acting.ts';

export type Violation = Pick<Finding, 'hop' | 'says' | 'facts'>;

export const findingOf = (rule: Rule, violation: Violation, thresholds: string): Finding => ({
  rule: rule.id,
  title: rule.title,
  severity: rule.severity,
  verdict: rule.verdict,
  owasp: rule.owasp,
  thresholds,
  ...violation,
});

/** A violation shown at a hop, with the entries of that hop and of others it rests on. */
export const at = (hop: UnjudgedHop, says: string, others: readonly UnjudgedHop[] = []): Violation => ({
  hop: hop.id,
  says,
  facts: [{ says, entries: [...new Set([...others, hop].flatMap(entriesOfHop))] }],
});

export const entriesOfHop = (hop: UnjudgedHop): string[] => [...hop.callerEntries, ...hop.calleeEntries];

/** The scopes asked for that are not among those held: exact set comparison. */
export const beyond = (asked: readonly string[], held: readonly string[]): string[] =>
  asked.filter((scope) => !held.includes(scope));

export const nameOf = (hop: UnjudgedHop): string =>
  `${hop.from?.name ?? 'somebody'} → ${hop.to?.name ?? 'somebody'}${hop.operation === null ? '' : ` (${hop.operation})`}`;

/** What the callee read from the credential that came, whether or not it verified it; the caller's word never stands here. */
export const credentialOf = ({ accountsOf }: Evidence, hop: UnjudgedHop): HopEntry | undefined =>
  accountsOf(hop).credential;

/** Who acts by that credential: the last actor, else the subject. */
export const actingIn = (entry: Pick<HopEntry, 'actors' | 'subject'>): EntryParty | undefined =>
  entry.actors.at(-1) ?? entry.subject;

/** The same party, as the keys of both would say. */
export function isSame(a: EntryParty | null | undefined, b: EntryParty | null | undefined): boolean {
  if (!a || !b) return false;
  if ('ref' in a || 'ref' in b) return 'ref' in a && 'ref' in b && a.ref === b.ref;
  return a.id === b.id && a.type === b.type && (a.issuer ?? '') === (b.issuer ?? '');
}

/** The first of each key, in order: what is said once of a party or token is not said again at every hop. */
export function firstOfEach<T>(list: readonly T[], keyOf: (each: T) => string | undefined): readonly T[] {
  const seen = new Set<string>();
  return list.filter((each) => {
    const key = keyOf(each);
    if (key === undefined || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export const short = (digest: string): string => `${digest.slice(0, 12)}…`;

export const seconds = (count: number): bigint => BigInt(Math.round(count)) * 1_000_000_000n;
export const days = (count: number): bigint => seconds(count * 86_400);
