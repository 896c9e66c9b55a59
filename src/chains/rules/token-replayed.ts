import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import { at, nameOf, type Rule, short, type Violation } from './rule.ts';

/**
 * A token whose use both sides of one call account for turns up again in a call that nobody reports having made. A use that
 * this call led to is no earlier one: a gateway passes on the very token it was called with.
 */
export const tokenReplayed: Rule = {
  id: 'token_replayed',
  title: 'Token replayed',
  meaning:
    'A token whose use both sides of one call account for turned up again in a call that nobody reports having made.',
  clears: 'The call is reported by whoever made it, or tokens are bound to their presenter.',
  wrong: 'The report of the second call was lost together with its trace context.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI2:2025', 'ASI03', 'ASI07'],
  restsOnAbsence: true,
  judge: (evidence) =>
    evidence.hops.flatMap((hop): Violation[] => {
      const digest = hop.authority?.digest;
      if (digest === undefined || hop.callerEntries.length > 0 || hop.calleeEntries.length === 0) return [];
      if (evidence.isLed(hop.id)) return [];
      const rightful = rightfulUse(hop, digest, evidence);
      if (rightful === undefined || !isStrange(hop, rightful, evidence)) return [];
      const says = `token ${short(digest)} was carried by ${nameOf(rightful)} and came again, ${whence(hop, rightful, evidence)}, in a call nobody reports making`;
      return [at(hop, says, [rightful])];
    }),
};

/** A use both sides account for, that this hop did not lead to. */
const rightfulUse = (hop: UnjudgedHop, digest: string, { usesOf, before }: Evidence): UnjudgedHop | undefined =>
  usesOf(digest).find(
    (use) =>
      use.id !== hop.id &&
      use.callerEntries.length > 0 &&
      use.calleeEntries.length > 0 &&
      !before(use.id).some(({ id }) => id === hop.id),
  );

/** A report may be lost: without another address or a missing trace context, one lost report is the likelier story. */
function isStrange(hop: UnjudgedHop, rightful: UnjudgedHop, { peerHostOf, namesParent }: Evidence): boolean {
  const [now, then] = [peerHostOf(hop), peerHostOf(rightful)];
  return now !== undefined && then !== undefined && now !== then ? true : !namesParent(hop);
}

function whence(hop: UnjudgedHop, rightful: UnjudgedHop, { peerHostOf }: Evidence): string {
  const [now, then] = [peerHostOf(hop), peerHostOf(rightful)];
  if (now === undefined) return 'from an unknown address';
  return then === undefined || then === now ? `from ${now}` : `from ${now} instead of ${then}`;
}
