import type { UnjudgedHop } from '../hop.ts';
import { at, nameOf, type Rule } from './rule.ts';

/** A privileged step that no person approved before. */
export const approvalMissing: Rule = {
  id: 'approval_missing',
  title: 'Approval missing before a privileged step',
  meaning: 'A step that needs a person’s approval went through, and the chain holds no approval before it.',
  clears: 'A person approves, in a step of this chain that was permitted, before the privileged step.',
  wrong: 'The approval took place outside what reports here, or under another name.',
  severity: 'critical',
  verdict: 'excessive',
  owasp: ['ASI09', 'ASI02'],
  restsOnAbsence: true,
  judge: ({ hops, passed, thresholds }) => {
    if (thresholds.privilegedScopes.length === 0) return [];
    const approvals = hops.filter((hop) => isApproval(hop, thresholds.approvalOperations));
    return passed.flatMap((hop) => {
      const needs = hop.requiredScopes.filter((scope) => thresholds.privilegedScopes.includes(scope));
      if (needs.length === 0 || hop.kind === 'local') return [];
      if (approvals.some((approval) => BigInt(approval.time) < BigInt(hop.time))) return [];
      return [
        at(hop, `${nameOf(hop)} required ${needs.join(' ')} and went through without a person’s approval before it`),
      ];
    });
  },
};

/** By the person’s own hand: no actor in between. */
const isApproval = (hop: UnjudgedHop, operations: readonly string[]): boolean =>
  hop.decision?.outcome === 'permit' &&
  hop.operation !== null &&
  operations.includes(hop.operation) &&
  hop.subject?.type === 'user' &&
  hop.actors.length === 0;
