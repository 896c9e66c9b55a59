import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import { at, credentialOf, firstOfEach, hasPassed, nameOf, type Rule, short, type Violation } from './rule.ts';

/** A call, or a token, crossed from one environment into another. */
export const environmentCrossed: Rule = {
  id: 'environment_crossed',
  title: 'Crossed from one environment into another',
  meaning: 'A service of one environment called into another, or one token was accepted in two environments.',
  clears: 'Each environment has identities and issuers of its own.',
  wrong: 'Environments are named by the services themselves: two names for one environment are two.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['NHI8:2025', 'NHI6:2025'],
  judge: (evidence) => {
    const crossings = evidence.passed.filter(
      (hop) => hop.kind === 'crossing' && environmentIn(evidence.accountsOf(hop).callee) !== undefined,
    );
    return [...crossings.flatMap((hop) => byCall(hop, evidence)), ...byToken(crossings, evidence)];
  },
};

function byCall(hop: UnjudgedHop, { accountsOf }: Evidence): readonly Violation[] {
  const { caller, callee } = accountsOf(hop);
  const [from, to] = [environmentIn(caller), environmentIn(callee)];
  if (from === undefined || to === undefined || from === to) return [];
  return [at(hop, `${nameOf(hop)} crossed from ${from} into ${to}`)];
}

const byToken = (crossings: readonly UnjudgedHop[], evidence: Evidence): readonly Violation[] =>
  firstOfEach(crossings, (hop) => credentialOf(evidence, hop)?.authority?.digest).flatMap((hop) => {
    const digest = credentialOf(evidence, hop)?.authority?.digest ?? '';
    const here = environmentIn(evidence.accountsOf(hop).callee);
    if (here === undefined) return [];
    for (const other of evidence.usesOf(digest)) {
      const there = environmentIn(evidence.accountsOf(other).callee);
      if (there !== undefined && there !== here && hasPassed(other))
        return [at(hop, `token ${short(digest)} was accepted in ${[here, there].toSorted().join(' and ')}`, [other])];
    }
    return [];
  });

const environmentIn = (accounts: ReturnType<Evidence['accountsOf']>['callee']): string | undefined =>
  accounts.find((entry) => entry.reporter.environment !== undefined)?.reporter.environment;
