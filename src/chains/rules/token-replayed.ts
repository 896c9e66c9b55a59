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
  wrong:
    'The report of the second call was lost together with its trace context, and the caller had changed its address.',
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

/** A use both sides account for, that this hop did not lead to: from the same place if there is one, else from a known one. */
export function rightfulUse(hop: UnjudgedHop, digest: string, evidence: Evidence): UnjudgedHop | undefined {
  const uses = evidence
    .usesOf(digest)
    .filter((use) => use.id !== hop.id && use.callerEntries.length > 0 && use.calleeEntries.length > 0)
    .filter((use) => !evidence.before(use.id).some(({ id }) => id === hop.id));
  const place = placeOf(hop, evidence);
  const places = uses.map((use) => placeOf(use, evidence));
  const same = place === undefined ? -1 : places.indexOf(place);
  return uses[same] ?? uses[places.findIndex((each) => each !== undefined)] ?? uses[0];
}

/**
 * From another address; or from the same one outside any trace. Where the addresses are not known, a lost report is the
 * likelier story.
 */
export function isStrange(hop: UnjudgedHop, rightful: UnjudgedHop, evidence: Evidence): boolean {
  const [now, then] = [placeOf(hop, evidence), placeOf(rightful, evidence)];
  if (now === undefined || then === undefined) return false;
  return now !== then || (now !== OUTSIDE && !evidence.namesParent(hop));
}

/** The address the callee saw. One that it does not keep, since it may be a person’s, is none of the network’s own. */
const placeOf = (hop: UnjudgedHop, { peerHostOf, accountsOf }: Evidence): string | undefined =>
  peerHostOf(hop) ??
  (accountsOf(hop).callee.some(({ absent }) => absent['transport.peerAddress'] === 'redacted') ? OUTSIDE : undefined);

const OUTSIDE = 'outside';

function whence(hop: UnjudgedHop, rightful: UnjudgedHop, { peerHostOf }: Evidence): string {
  const [now, then] = [peerHostOf(hop), peerHostOf(rightful)];
  if (now === undefined) return `from outside the network instead of ${then ?? 'the one inside'}`;
  return then === undefined || then === now ? `from ${now}` : `from ${now} instead of ${then}`;
}
