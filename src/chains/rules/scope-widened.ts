import type { HopEntry } from '#observation';
import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import type { Dimension } from '../thresholds.ts';
import { beyond, entriesOfHop, isSame, type Rule, seconds, type Violation } from './rule.ts';

/**
 * A later authority of the same subject goes beyond the earlier one, in a dimension that is governed: each is compared
 * exactly. Another issuer is another domain, where scopes have other names: the comparison starts anew there (OAuth Actor
 * Profile, authority bounds).
 */
export const scopeWidened: Rule = {
  id: 'scope_widened',
  title: 'Authority widened along the chain',
  meaning:
    'A later authority of the same subject and issuer holds a scope, purpose, audience or time that the one before did not.',
  clears: 'The issuer grants no more than the token that goes in holds.',
  wrong:
    'The subject consented to more in another way, which nobody reported. Which dimensions are compared is a threshold: audience and expiry are not unless it names them.',
  severity: 'critical',
  verdict: 'excessive',
  owasp: ['NHI5:2025', 'ASI03'],
  judge: (evidence) => {
    const found: Violation[] = [];
    for (const link of evidence.links) if (link.grade !== 'ambiguous') found.push(...byStep(link, evidence));
    return evidence.thresholds.governed.includes('scope') ? [...found, ...byExchange(evidence)] : found;
  },
};

/** From one hop to the next that it led to. */
function byStep(link: { readonly from: string; readonly to: string }, evidence: Evidence): readonly Violation[] {
  const from = evidence.hop(link.from);
  const to = evidence.hop(link.to);
  if (!from?.authority || !to?.authority || from.authority.issuer !== to.authority.issuer) return NOTHING;
  if (from.authority.digest !== undefined && from.authority.digest === to.authority.digest) return NOTHING;
  if (!isSame(from.subject, to.subject)) return NOTHING;
  const found: Violation[] = [];
  for (const dimension of evidence.thresholds.governed) {
    const says = BEYOND[dimension](from, to, evidence);
    if (says === undefined) continue;
    found.push({ hop: to.id, says, facts: [{ says, entries: [...entriesOfHop(from), ...entriesOfHop(to)] }] });
  }
  return found;
}

const NOTHING: readonly Violation[] = [];

type Compare = (from: UnjudgedHop, to: UnjudgedHop, evidence: Evidence) => string | undefined;

/** Where the later hop goes beyond the earlier one, in words. What one of them does not say is not compared. */
const BEYOND: Readonly<Record<Dimension, Compare>> = {
  scope: (from, to) => wider(from.authority?.scopes, to.authority?.scopes, 'no scopes'),
  audience: (from, to) => wider(from.authority?.audience, to.authority?.audience, 'no audience'),
  purpose: (from, to, evidence) => {
    const [before, after] = [purposeOf(from, evidence), purposeOf(to, evidence)];
    return before === undefined || after === undefined || before === after
      ? undefined
      : `the next hop is for the purpose ${after}, the hop before for ${before}`;
  },
  expiry: (from, to, { thresholds }) => {
    const [before, after] = [from.authority?.expiresAt, to.authority?.expiresAt];
    if (before === undefined || after === undefined) return undefined;
    const longer = BigInt(after) - BigInt(before);
    return longer > seconds(thresholds.clockSkewSeconds)
      ? `the authority of the next hop ends ${longer / seconds(1)} seconds after that of the hop before`
      : undefined;
  },
};

function wider(
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
  none: string,
): string | undefined {
  if (before === undefined || after === undefined) return undefined;
  const more = beyond(after, before);
  return more.length === 0
    ? undefined
    : `the next hop holds ${more.join(' ')} which the hop before did not (${before.join(' ') || none})`;
}

const namesPurpose = (entry: HopEntry): boolean => entry.purpose !== undefined;

function purposeOf(hop: UnjudgedHop, { accountsOf }: Evidence): string | undefined {
  const { callee, caller } = accountsOf(hop);
  return (callee.find(namesPurpose) ?? caller.find(namesPurpose))?.purpose;
}

/** The issuer itself granted more than the token that went in held. */
const byExchange = ({ exchanges }: Evidence): readonly Violation[] =>
  exchanges.flatMap((exchange) => {
    const more = beyond(exchange.scopesGranted ?? [], exchange.scopesHeld ?? exchange.scopesGranted ?? []);
    if (more.length === 0) return [];
    const says = `an exchange granted ${more.join(' ')} beyond ${exchange.scopesHeld?.join(' ') || 'no scopes'}`;
    return [{ hop: exchange.id, says, facts: [{ says, entries: [exchange.leafIndex] }] }];
  });
