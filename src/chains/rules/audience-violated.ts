import type { UnjudgedHop } from '../hop.ts';
import { at, credentialOf, nameOf, type Rule } from './rule.ts';

/** A token meant for somebody else was let through. */
export const audienceViolated: Rule = {
  id: 'audience_violated',
  title: 'Token meant for another audience let through',
  meaning: 'A boundary let a call pass with a token that names other audiences than the ones this service answers to.',
  clears: 'The service refuses tokens for other audiences, or the audience is added to those it answers to.',
  wrong:
    'The list of audiences a service answers to is behind; a service that is not listed is judged by its own word only.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI4:2025', 'ASI03'],
  judge: (evidence) =>
    evidence.passed.flatMap((hop) => {
      const audience = credentialOf(evidence, hop)?.authority?.audience;
      const accepted = acceptedBy(hop, evidence.thresholds.audiences);
      const isOther =
        audience !== undefined && accepted !== undefined && !audience.some((each) => accepted.includes(each));
      if (!isOther && !namesReason(hop, ['wrong_audience'])) return [];
      return [at(hop, `${nameOf(hop)} went through with a token for ${audience?.join(', ') ?? 'another audience'}`)];
    }),
};

function acceptedBy(hop: UnjudgedHop, audiences: Readonly<Record<string, readonly string[]>>) {
  const name = hop.to?.reported ? hop.to.name : undefined;
  return name !== undefined && Object.hasOwn(audiences, name) ? audiences[name] : undefined;
}

/** The callee itself says so: as the reason of a failed check, or of a refusal it only observed. */
export const namesReason = (hop: UnjudgedHop, reasons: readonly string[]): boolean =>
  [hop.verification?.reason, hop.decision?.reason?.replace(/^would_deny:/, '')].some(
    (reason) => reason !== undefined && reasons.includes(reason),
  );
