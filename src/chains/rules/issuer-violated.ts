import { namesReason } from './audience-violated.ts';
import { at, credentialOf, nameOf, type Rule } from './rule.ts';

/** A token of an issuer nobody trusts was let through. */
export const issuerViolated: Rule = {
  id: 'issuer_violated',
  title: 'Token of an untrusted issuer let through',
  meaning: 'A boundary let a call pass with a token of an issuer that is not among the trusted ones.',
  clears: 'The service refuses that issuer, or the issuer is added to the trusted ones.',
  wrong: 'The list of trusted issuers is behind. While it is empty only the boundary’s own word counts.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI3:2025', 'NHI4:2025', 'ASI03'],
  judge: (evidence) =>
    evidence.passed.flatMap((hop) => {
      const issuer = credentialOf(evidence, hop)?.authority?.issuer;
      const { issuers } = evidence.thresholds;
      const isOther = issuer !== undefined && issuers.length > 0 && !issuers.includes(issuer);
      if (!isOther && !namesReason(hop, ['wrong_issuer'])) return [];
      return [
        at(hop, `${nameOf(hop)} went through with a token of ${issuer ?? 'another issuer'}, which is not trusted`),
      ];
    }),
};
