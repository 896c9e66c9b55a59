import { describeParty } from '../party-key.ts';
import { at, beyond, credentialOf, hasPassed, isMachine, isSame, nameOf, type Rule } from './rule.ts';

/** A service used its own authority for what its caller’s did not cover. */
export const confusedDeputy: Rule = {
  id: 'confused_deputy',
  title: 'Confused deputy',
  meaning:
    'A service that was called about a resource touched that same resource under its own identity, with a scope its caller did not hold.',
  clears: 'The service passes on or exchanges its caller’s authority, or checks that the caller may do this.',
  wrong: 'The service may have decided by rules of its own that the caller is entitled to this.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['ASI03', 'ASI02', 'NHI5:2025'],
  judge: (evidence) =>
    evidence.passed.flatMap((hop) => {
      const own = credentialOf(evidence, hop);
      if (own?.subject === undefined || !isMachine(own.subject) || own.actors.length > 0 || hop.resource === null)
        return [];
      const above = evidence.callBefore(hop);
      const asked = above && credentialOf(evidence, above);
      if (above?.to?.name === undefined || above.to.name !== hop.from?.name || !hasPassed(above)) return [];
      if (asked?.authority?.scopes === undefined || asked.authority.issuer !== own.authority?.issuer) return [];
      if (isSame(asked.subject, own.subject) || above.resource !== hop.resource) return [];
      const missing = beyond(hop.requiredScopes, asked.authority.scopes);
      if (missing.length === 0) return [];
      const who = asked.actors.at(-1) ?? asked.subject;
      const says = `${nameOf(hop)}: ${describeParty(own.subject)} used ${missing.join(' ')} of its own on ${hop.resource}, for ${who === undefined ? 'a caller' : describeParty(who)} who does not hold it`;
      return [at(hop, says, [above])];
    }),
};
