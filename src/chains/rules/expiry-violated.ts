import { namesReason } from './audience-violated.ts';
import { at, credentialOf, nameOf, type Rule, seconds } from './rule.ts';

/** A token was let through outside the time it holds for. */
export const expiryViolated: Rule = {
  id: 'expiry_violated',
  title: 'Token outside its time let through',
  meaning: 'A boundary let a call pass with a token that had expired, or did not hold yet.',
  clears: 'The service checks exp and nbf, with no more leeway than its clock needs.',
  wrong: 'The callee’s clock is off by more than the clock skew that is allowed for.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI4:2025', 'NHI7:2025', 'ASI03'],
  judge: (evidence) =>
    evidence.passed.flatMap((hop) => {
      const entry = credentialOf(evidence, hop);
      const { expiresAt, notBefore } = entry?.authority ?? {};
      const skew = seconds(evidence.thresholds.clockSkewSeconds);
      const time = entry?.time ?? hop.time;
      const late = isBefore(expiresAt, time) && BigInt(time) > BigInt(expiresAt ?? 0) + skew;
      const early = isBefore(time, notBefore) && BigInt(time) + skew < BigInt(notBefore ?? 0);
      if (!late && !early && !namesReason(hop, ['expired', 'not_yet_valid'])) return [];
      const when =
        early || namesReason(hop, ['not_yet_valid']) ? 'before its token held' : 'after its token had expired';
      return [at(hop, `${nameOf(hop)} went through ${when}`)];
    }),
};

/** Decimal nanoseconds without leading zeros, where both are known: the shorter is the earlier. */
const isBefore = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && (a.length === b.length ? a < b : a.length < b.length);
