import type { GuardMode } from './guard-rules.ts';
import type { AbsenceReason, Decision, Outcome } from './hop.ts';
import type { RefusalCode } from './refusal.ts';

/** What the guard decided, under the policy by which it did. */
export function decisionOf(
  refused: RefusalCode | undefined,
  { isPublic, mode }: { isPublic: boolean; mode: GuardMode },
): Decision {
  if (isPublic) return { outcome: 'permit', policy: 'behalf-guard/public' };
  if (refused === undefined) return { outcome: 'permit', policy: `behalf-guard/${mode}` };
  if (mode === 'observe') return { outcome: 'permit', policy: 'behalf-guard/observe', reason: `would_deny:${refused}` };
  return { outcome: 'deny', policy: 'behalf-guard/enforce', reason: refused };
}

/** How the response ended: `sent` when all of it went out. */
export interface ResponseEnd {
  readonly sent: boolean;
  readonly status: number;
}

export function outcomeOf({ sent, status }: ResponseEnd): Outcome {
  if (!sent) return { status: 'unknown', code: 'response_not_completed' };
  return { status: status < 400 ? 'ok' : 'error', code: String(status) };
}

export const absence = (status: string): AbsenceReason => (status === 'absent' ? 'none_observed' : 'unverifiable');
