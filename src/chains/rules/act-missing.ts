import { describeParty } from '../party-key.ts';
import { at, credentialOf, isSame, nameOf, type Rule } from './rule.ts';

/** A service in the middle of a chain presents another token of the same user, and nobody stands in it as the actor. */
export const actMissing: Rule = {
  id: 'act_missing',
  title: 'Actor missing where a delegation must exist',
  meaning:
    'A service that was called on a user’s behalf calls on with another token of that user, of unknown origin, that names no actor: the user seems to act alone.',
  clears: 'The service exchanges the token it got (RFC 8693) with itself as the actor, or passes that very token on.',
  wrong: 'The service got the second token from the user in another way, for instance out of a consent of its own.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['ASI03', 'ASI07'],
  judge: (evidence) =>
    evidence.passed.flatMap((hop) => {
      const entry = credentialOf(evidence, hop);
      const digest = entry?.authority?.digest;
      if (digest === undefined || entry?.subject?.type !== 'user' || entry.actors.length > 0) return [];
      if (hop.callerEntries.length === 0 || evidence.exchanges.some(({ tokenOut }) => tokenOut === digest)) return [];
      const above = evidence.callBefore(hop);
      const inbound = above && credentialOf(evidence, above);
      if (above === undefined || inbound?.authority?.digest === digest || !isSame(inbound?.subject, entry.subject))
        return [];
      const says = `${nameOf(hop)} used a token of ${describeParty(entry.subject)} that names no actor, and not the one ${above.to?.name ?? 'it'} was called with`;
      return [at(hop, says, [above])];
    }),
};
