import { describeParty } from '../party-key.ts';
import { at, isMachine, nameOf, type Rule } from './rule.ts';

/** A person works under a service’s identity. */
export const humanUsesService: Rule = {
  id: 'human_uses_service',
  title: 'Person uses a service’s identity',
  meaning: 'A person started this under the identity of a service: what is done counts as the service’s.',
  clears: 'The person acts under their own identity, or the service acts for them with both named.',
  wrong: 'Break-glass access looks the same. It is found only where the platform says who started it.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['NHI10:2025', 'ASI03'],
  judge: ({ passed }) =>
    passed.flatMap((hop) => {
      const { initiator, subject, actors } = hop;
      if (initiator?.type !== 'user' || subject === null || !isMachine(subject) || actors.length > 0) return [];
      return [at(hop, `${nameOf(hop)}: ${describeParty(initiator)} acted as ${describeParty(subject)}`)];
    }),
};
