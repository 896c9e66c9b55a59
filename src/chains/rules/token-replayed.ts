import type { UnjudgedHop } from '../hop.ts';
import { type Evidence, entriesOfHop, nameOf, type Rule, type Violation } from './rule.ts';

/** A token whose use both sides of one call account for turns up again in a call that nobody reports having made. */
export const tokenReplayed: Rule = {
  id: 'token_replayed',
  title: 'Token replayed',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI2:2025', 'ASI03', 'ASI07'],
  restsOnAbsence: true,
  judge: (evidence) =>
    evidence.hops.flatMap((hop): Violation[] => {
      const digest = hop.authority?.digest;
      if (
        digest === undefined ||
        hop.callerEntries.length > 0 ||
        hop.calleeEntries.length === 0 ||
        evidence.isLed(hop.id)
      )
        return [];
      const [rightful] = evidence
        .usesOf(digest)
        .filter((use) => use.id !== hop.id && use.callerEntries.length > 0 && use.calleeEntries.length > 0);
      if (rightful === undefined || !isStrange(hop, rightful, evidence)) return [];
      const says = `token ${digest.slice(0, 12)}… was carried by ${nameOf(rightful)} and came again, ${whence(hop, rightful, evidence)}, in a call nobody reports making`;
      return [{ hop: hop.id, says, facts: [{ says, entries: [...entriesOfHop(rightful), ...entriesOfHop(hop)] }] }];
    }),
};

/** A report may be lost: without another address or a missing trace context, one lost report is the likelier story. */
function isStrange(hop: UnjudgedHop, rightful: UnjudgedHop, { peerHostOf, namesParent }: Evidence): boolean {
  const [now, before] = [peerHostOf(hop), peerHostOf(rightful)];
  return now !== undefined && before !== undefined && now !== before ? true : !namesParent(hop);
}

function whence(hop: UnjudgedHop, rightful: UnjudgedHop, { peerHostOf }: Evidence): string {
  const [now, before] = [peerHostOf(hop), peerHostOf(rightful)];
  if (now === undefined) return 'from an unknown address';
  return before === undefined || before === now ? `from ${now}` : `from ${now} instead of ${before}`;
}
