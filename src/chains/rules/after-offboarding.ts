import { describeParty, partyKey } from '../party-key.ts';
import { at, credentialOf, hasPassed, nameOf, type Rule, seconds, short } from './rule.ts';

/** Somebody who was offboarded still acts, or a revoked token still works. */
export const afterOffboarding: Rule = {
  id: 'after_offboarding',
  title: 'Acted after offboarding or revocation',
  meaning: 'A call went through for a party that had been offboarded, or with a token that had been revoked.',
  clears: 'Credentials end with the identity, and boundaries notice revocation.',
  wrong: 'The moment of offboarding is recorded too early, or a clock is off by more than the skew allowed for.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI1:2025', 'ASI10'],
  restsOnHistory: true,
  judge: (evidence) =>
    evidence.hops.filter(hasPassed).flatMap((hop) => {
      const { history, thresholds } = evidence;
      const limit = BigInt(hop.time) - seconds(thresholds.clockSkewSeconds);
      const isOver = (at: string | undefined): boolean => at !== undefined && BigInt(at) < limit;
      const gone = [hop.subject, ...hop.actors].find(
        (party) => party !== null && isOver(history.offboardedAt(partyKey(party))),
      );
      if (gone) return [at(hop, `${nameOf(hop)} went through for ${describeParty(gone)} after its offboarding`)];
      const digest = credentialOf(evidence, hop)?.authority?.digest;
      if (digest === undefined || !isOver(history.revokedAt(digest))) return [];
      return [at(hop, `${nameOf(hop)} went through with token ${short(digest)} after its revocation`)];
    }),
};
