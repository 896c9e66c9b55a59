import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import { describeParty, isSigned } from '../party-key.ts';
import { entriesOfHop, nameOf, type Rule, type Violation } from './rule.ts';
import { isStrange, rightfulUse } from './token-replayed.ts';

/**
 * A call with delegated authority that nothing led to: no caller reported it and it continues no trace. Where it does
 * continue a trace, one lost report is the likelier story, and the gap says so. Can be wrong where a caller is not
 * instrumented at all.
 */
export const orphanHop: Rule = {
  id: 'orphan_hop',
  title: 'Orphan hop',
  meaning:
    'Delegated authority was used in a call that nothing led to: no caller reported it and it continues no trace.',
  clears: 'The caller reports its calls, or the trace that led there arrives.',
  wrong: 'The caller is not instrumented at all, and the exchange it got its token by was not reported.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['ASI10', 'ASI03'],
  restsOnAbsence: true,
  judge: (evidence) =>
    evidence.hops.flatMap((hop): Violation[] => {
      const actor = hop.actors.at(-1);
      if (hop.callerEntries.length > 0 || hop.kind === 'local') return [];
      if (evidence.isLed(hop.id) || evidence.namesParent(hop) || isExplained(hop, evidence)) return [];
      if (actor === undefined || !isSigned(actor)) return [];
      const says = `${nameOf(hop)} used authority delegated to ${describeParty(actor)}, but nobody reported making the call and nothing led to it`;
      return [{ hop: hop.id, says, facts: [{ says, entries: entriesOfHop(hop) }] }];
    }),
};

/** The token is known to have been got or used by somebody who reports: then the report of this call was lost, unless the place is strange. */
function isExplained(hop: UnjudgedHop, evidence: Evidence): boolean {
  const digest = hop.authority?.digest;
  if (digest === undefined) return false;
  const rightful = rightfulUse(hop, digest, evidence);
  if (rightful !== undefined) return !isStrange(hop, rightful, evidence);
  return evidence.isMinted(digest) || evidence.usesOf(digest).some((use) => use.callerEntries.length > 0);
}
