import { hasPassed, nameOf, type Rule, type Violation } from './rule.ts';

/** The callee says it let the call pass although its credential failed, was not checked, or was not there. */
export const unverifiedBoundary: Rule = {
  id: 'unverified_boundary',
  title: 'Boundary crossed without verification',
  meaning:
    'The callee says that it let the call pass although its credential failed, was not checked, or was not there.',
  clears: 'The callee verifies the credential, or refuses.',
  wrong: 'A boundary that is public on purpose lets calls pass without a credential.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI4:2025', 'ASI03', 'ASI07'],
  judge: ({ hops }) =>
    hops.flatMap((hop): Violation[] => {
      const status = hop.verification?.status;
      if (hop.kind === 'local' || status === undefined || status === 'verified' || !hasPassed(hop)) return [];
      const why = hop.verification?.reason;
      const says = `${nameOf(hop)} went through with its credential ${WORDS[status]}${why === undefined ? '' : `: ${why}`}`;
      return [{ hop: hop.id, says, facts: [{ says, entries: hop.calleeEntries }] }];
    }),
};

/** A callee that reports nothing about credentials: not wrong in itself, and worth knowing. */
export const undisclosedBoundary: Rule = {
  id: 'boundary_not_disclosed',
  title: 'Boundary says nothing of verification',
  meaning: 'The callee reports nothing about credentials: not wrong in itself, and worth knowing.',
  clears: 'The callee reports how it verified the caller, for instance by the guard of the SDK.',
  wrong: 'The callee verifies and does not say so.',
  severity: 'notice',
  verdict: null,
  owasp: ['NHI4:2025'],
  judge: ({ hops }) =>
    hops.flatMap((hop): Violation[] => {
      if (hop.kind === 'local' || hop.calleeEntries.length === 0 || hop.grade === 'proven' || hop.verification !== null)
        return [];
      const says = `${hop.to?.name ?? 'the callee'} does not say whether it verified the caller`;
      return [{ hop: hop.id, says, facts: [{ says, entries: hop.calleeEntries }] }];
    }),
};

const WORDS = { failed: 'failing verification', unverified: 'unchecked', absent: 'missing' } as const;
