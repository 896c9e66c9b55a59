import type { GuardMode } from './guard-rules.ts';
import type { AbsenceReason, Decision, Outcome } from './hop.ts';
import type { RefusalCode } from './refusal.ts';

/** The same object for the same decision: what is recorded of it is encoded once. */
const PERMITS = {
  public: { outcome: 'permit', policy: 'behalf-guard/public' },
  enforce: { outcome: 'permit', policy: 'behalf-guard/enforce' },
  observe: { outcome: 'permit', policy: 'behalf-guard/observe' },
} as const;

/** What the guard decided, under the policy by which it did. */
export function decisionOf(
  refused: RefusalCode | undefined,
  { isPublic, mode }: { isPublic: boolean; mode: GuardMode },
): Decision {
  if (isPublic) return PERMITS.public;
  if (refused === undefined) return PERMITS[mode];
  if (mode === 'observe') return { outcome: 'permit', policy: 'behalf-guard/observe', reason: `would_deny:${refused}` };
  return { outcome: 'deny', policy: 'behalf-guard/enforce', reason: refused };
}

/** How the response ended: `sent` when all of it went out. */
export interface ResponseEnd {
  readonly sent: boolean;
  readonly status: number;
}

const OK: Outcome = { status: 'ok', code: '200' };

export function outcomeOf({ sent, status }: ResponseEnd): Outcome {
  if (sent && status === 200) return OK;
  if (!sent) return { status: 'unknown', code: 'response_not_completed' };
  return { status: status < 400 ? 'ok' : 'error', code: String(status) };
}

export const absence = (status: string): AbsenceReason => (status === 'absent' ? 'none_observed' : 'unverifiable');

const NOTHING_ABSENT = {};
const ADDRESS_ABSENT = { 'transport.peerAddress': 'redacted' } as const;

/** What an account leaves out, and why; the same object where it is nothing but the address. */
export function absentOf(
  subject: AbsenceReason | undefined,
  isAddressRedacted: boolean,
): Readonly<Record<string, AbsenceReason>> {
  if (subject !== undefined) return { subject, ...(isAddressRedacted && ADDRESS_ABSENT) };
  return isAddressRedacted ? ADDRESS_ABSENT : NOTHING_ABSENT;
}
