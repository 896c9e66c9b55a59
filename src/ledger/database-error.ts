import { isRetryable } from '#database';
import { LedgerError } from './errors.ts';

/**
 * What a failed statement means to the ledger's caller. A passing failure is `unavailable`: it is not known whether the
 * transaction committed, and sending again is safe. Anything else from the database is `failed`, told by its SQLSTATE
 * only: PostgreSQL's own words may quote what was to be stored. A LedgerError, or a fault of ours, stays what it is.
 */
export function toLedgerError(error: unknown): unknown {
  if (error instanceof LedgerError) return error;
  if (isRetryable(error)) return new LedgerError('unavailable', passing(error), { cause: error });
  const state = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (state === undefined || !/^[0-9A-Z]{5}$/.test(state)) return error;
  return new LedgerError(
    'failed',
    `the database refused to store (SQLSTATE ${state}); nothing was stored; see its own log`,
    { cause: error },
  );
}

/** What the operator can do about a failure that passes, where it has a name. */
function passing(error: unknown): string {
  const state = error instanceof Error && 'code' in error ? error.code : undefined;
  if (state === '53100') return 'the database’s disk is full; nothing was stored; make room on it, then send again';
  return 'the database did not answer; nothing is known to be stored; send again';
}

/** Runs something that asks the database; rejects with what toLedgerError makes of its error. */
export async function asLedgerErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toLedgerError(error);
  }
}
