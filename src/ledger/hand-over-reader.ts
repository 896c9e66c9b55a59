import type { Database } from '#database';
import { asLedgerErrors } from './database-error.ts';
import { currentKeyOfLog } from './log-keys.ts';
import { requireLog } from './open-log.ts';
import { type HandOverRow, selectHandOvers } from './sql/hand-over.ts';

export type { HandOverRow };

/** Where a log's entries hand its key over, oldest first, with the notes both keys signed. Throws LedgerError `unavailable`. */
export const readHandOvers = (database: Database, logId: number): Promise<readonly HandOverRow[]> =>
  asLedgerErrors(() => selectHandOvers(database.pool('reader'), logId));

/** The verifier key a log is signed with now. Throws LedgerError `missing`, `rewritten` or `unavailable`. */
export const readVerifierKey = (database: Database, logId: number): Promise<string> =>
  asLedgerErrors(async () => {
    const db = database.pool('reader');
    return currentKeyOfLog(db, logId, await requireLog(db, logId));
  });
