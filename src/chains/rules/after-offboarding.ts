import { endedBefore } from '../history.ts';
import { describeParty, partyKey } from '../party-key.ts';
import { at, credentialOf, nameOf, type Rule, seconds, short, type Violation } from './rule.ts';

/** Somebody who was offboarded still acts, or a revoked token still works. */
export const afterOffboarding: Rule = {
  id: 'after_offboarding',
  title: 'Acted after offboarding or revocation',
  meaning: 'A call went through for a party that had been offboarded, or with a token that had been revoked.',
  clears: 'Credentials end with the identity, and boundaries notice revocation.',
  wrong:
    'A clock is off by more than the skew allowed for, or whoever reported the end was mistaken. An offboarding that is reported after the last report of a call does not count for it; a token’s revocation always does.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI1:2025', 'ASI10'],
  judge: (evidence) => {
    const { endedParties, endedTokens } = evidence.history;
    if (endedParties.size + endedTokens.size === 0) return [];
    return evidence.passed.flatMap((hop): Violation[] => {
      const limit = BigInt(hop.time) - seconds(evidence.thresholds.clockSkewSeconds);
      for (const party of [hop.subject, ...hop.actors]) {
        const gone = party && endedBefore(endedParties.get(partyKey(party)) ?? [], limit);
        if (gone)
          return [
            resting(at(hop, `${nameOf(hop)} went through for ${describeParty(party)} after its offboarding`), gone),
          ];
      }
      const digest = credentialOf(evidence, hop)?.authority?.digest ?? '';
      const revoked = endedBefore(endedTokens.get(digest) ?? [], limit);
      if (revoked === undefined) return [];
      return [
        resting(at(hop, `${nameOf(hop)} went through with token ${short(digest)} after its revocation`), revoked),
      ];
    });
  },
};

/** The entry that reported the end is one of the facts. */
const resting = (violation: Violation, { leafIndex }: { readonly leafIndex: string }): Violation => ({
  ...violation,
  facts: [...violation.facts, { says: 'the end was reported before', entries: [leafIndex] }],
});
