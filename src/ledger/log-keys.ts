import { followHandOvers, VerificationError } from '@behalf/verify';
import type { Queryable } from '#database';
import { LedgerError } from './errors.ts';
import { selectHandOvers } from './sql/hand-over.ts';
import type { LogRow } from './sql/log.ts';

/**
 * The keys a log was signed with, the first one first: from the key it was opened with along the hand-overs, each signed by
 * the key before it. Throws LedgerError `rewritten` for one that is not: whoever holds the database alone can name a key and
 * cannot make the log's key sign for it.
 */
export async function keysOfLog(
  db: Queryable,
  logId: number,
  { verifierKey }: Pick<LogRow, 'verifierKey'>,
): Promise<readonly [string, ...string[]]> {
  const handOvers = await selectHandOvers(db, logId);
  const refused = (cause?: unknown) =>
    new LedgerError(
      'rewritten',
      `the database names a hand-over of log ${logId} to a key that its key before did not sign for; nothing was signed; run behalf fsck`,
      { cause },
    );
  try {
    const keys = await followHandOvers(
      verifierKey,
      handOvers.map(({ note }) => note),
    );
    if (keys.length === handOvers.length + 1) return keys;
  } catch (error) {
    throw error instanceof VerificationError ? refused(error) : error;
  }
  throw refused();
}

/** The key a log is signed with now. Throws as keysOfLog does. */
export async function currentKeyOfLog(db: Queryable, logId: number, log: Pick<LogRow, 'verifierKey'>): Promise<string> {
  const keys = await keysOfLog(db, logId, log);
  return keys.at(-1) ?? keys[0];
}
