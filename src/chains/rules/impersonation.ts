import type { Evidence } from '../evidence.ts';
import { describeParty } from '../party-key.ts';
import { at, credentialOf, entriesOfHop, isMachine, isSame, type Rule, type Violation } from './rule.ts';

/** A machine acts as somebody, not for somebody: nothing the callee sees names it. */
export const impersonation: Rule = {
  id: 'impersonation',
  title: 'Impersonation in place of delegation',
  meaning:
    'A machine got a token of somebody else that does not name it (RFC 8693 section 1.1), or took on another’s identity: the callee cannot tell it from that party.',
  clears: 'The issuer puts the requester into act, so that the token says who acts for whom.',
  wrong:
    'Where impersonation is the platform’s only way (cloud roles, Kubernetes), it is by design and the initiator is on record.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['ASI03', 'NHI10:2025'],
  judge: (evidence) => [...byExchange(evidence), ...byAssumption(evidence)],
};

const byExchange = (evidence: Evidence): readonly Violation[] =>
  evidence.exchanges.flatMap((exchange) => {
    const { requester, subject, tokenOut, tokenIn } = exchange;
    if (requester === null || !isMachine(requester) || subject === null || tokenOut === null) return [];
    const used = evidence.usesOf(tokenOut).find((hop) => credentialOf(evidence, hop)?.authority?.digest === tokenOut);
    const given = used && credentialOf(evidence, used);
    const held = evidence
      .usesOf(tokenIn)
      .flatMap((hop) => credentialOf(evidence, hop) ?? [])
      .find((entry) => entry.authority?.digest === tokenIn);
    const isOwnClient = 'id' in requester && held?.authority?.client === requester.id;
    if (used === undefined || given === undefined || given.actors.length > 0 || isOwnClient) return [];
    if (isSame(requester, given.subject) || (held?.actors.length ?? 0) > 0) return [];
    const says = `${describeParty(requester)} exchanged a token of ${describeParty(subject)} for one that does not name it`;
    return [{ hop: exchange.id, says, facts: [{ says, entries: [exchange.leafIndex, ...entriesOfHop(used)] }] }];
  });

const byAssumption = ({ passed }: Evidence): readonly Violation[] =>
  passed.flatMap((hop) => {
    const { initiator, subject } = hop;
    if (initiator === null || subject?.type !== 'user' || !isMachine(initiator) || hop.actors.length > 0) return [];
    return [at(hop, `${describeParty(initiator)} acted as ${describeParty(subject)}`)];
  });
