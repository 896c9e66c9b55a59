import type { EntryParty } from '#observation';
import { describeParty, partyKey } from '../party-key.ts';
import { actingIn, at, credentialOf, isMachine, nameOf, type Rule } from './rule.ts';

/** The transport authenticated somebody else than the token says is acting. */
export const actorNotPeer: Rule = {
  id: 'actor_not_peer',
  title: 'Actor is not the authenticated peer',
  meaning: 'The connection was authenticated as one workload, the token names another as the one who acts.',
  clears: 'The token is bound to its presenter, or the proxy between them forwards the workload’s own identity.',
  wrong: 'A proxy ends the connection and stands as the peer. Names of different namespaces are not compared at all.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI4:2025', 'ASI03', 'ASI07'],
  judge: (evidence) =>
    evidence.passed.flatMap((hop) => {
      const entry = credentialOf(evidence, hop);
      const peer = evidence.accountsOf(hop).callee.find((each) => each.peer !== undefined)?.peer;
      const actor = entry && actingIn(entry);
      if (peer === undefined || actor === undefined || !isMachine(actor) || !contradict(peer, actor)) return [];
      const says = `${nameOf(hop)}: the token says ${describeParty(actor)} acts, the connection was authenticated as ${describeParty(peer)}`;
      return [at(hop, says)];
    }),
};

/** Two names of one namespace that are not the same; names of two namespaces may be one party. */
function contradict(peer: EntryParty, actor: EntryParty): boolean {
  if (!['proof', 'assertion'].includes(peer.basis) || 'ref' in peer || 'ref' in actor || peer.id === actor.id)
    return false;
  const [here, there] = [trustDomain(peer.id), trustDomain(actor.id)];
  if (here !== undefined || there !== undefined) return here === there;
  return peer.issuer !== undefined && peer.issuer === actor.issuer && partyKey(peer) !== partyKey(actor);
}

/** SPIFFE ID section 2.1. */
const trustDomain = (id: string): string | undefined => /^spiffe:\/\/([^/]+)\//.exec(id)?.[1];
