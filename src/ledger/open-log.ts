import { randomBytes } from 'node:crypto';
import { EMPTY_ROOT } from '@behalf/verify';
import type { Database, Queryable } from '#database';
import { LedgerError } from './errors.ts';
import { sameBytes } from './hash.ts';
import { insertLog, type LogIdentity, type LogRow, selectLog } from './sql/log.ts';

/** What this server is: the keys it holds, and the origin it was told, if any. */
export interface ServerIdentity {
  readonly origin: string | undefined;
  readonly verifierKey: (origin: string) => string;
  readonly personsCheck: Uint8Array;
  /** Whether this key folder ever signed a checkpoint. */
  readonly hasSigned: boolean;
}

/**
 * Finds the log, or opens it under the given or a new random origin; several servers may do so at once. Throws
 * LedgerError `mismatch` when the log was opened with other keys or under another origin, `rollback` when it is gone.
 */
export async function openLog(database: Database, logId: number, server: ServerIdentity): Promise<LogRow> {
  const found = await selectLog(database.pool('writer'), logId);
  const log = found ?? (await createLog(database, logId, server));
  requireSame(logId, log, server);
  return log;
}

/** The log, which was opened before. Throws LedgerError `missing`. */
export async function requireLog(db: Queryable, logId: number): Promise<LogRow> {
  const log = await selectLog(db, logId);
  if (log !== undefined) return log;
  throw new LedgerError(
    'missing',
    `log ${logId} is not in the database; start a server with the log's key folder once`,
  );
}

/** Only the owner may open a log: the writer adds to those that are there. */
async function createLog(database: Database, logId: number, server: ServerIdentity): Promise<LogRow> {
  if (server.hasSigned) {
    throw new LedgerError(
      'rollback',
      `the key folder has signed checkpoints of a log, and the database holds no log ${logId}; restore the database, or give another key folder to begin another log`,
    );
  }
  const origin = server.origin ?? `behalf.local/${randomBytes(16).toString('hex')}`;
  if (!/^[^\s+]{1,255}$/.test(origin)) {
    throw new LedgerError(
      'mismatch',
      'origin: expected 1 to 255 characters without spaces and "+", as in log.example.com/tenant',
    );
  }
  const identity = { origin, verifierKey: server.verifierKey(origin), personsCheck: server.personsCheck };
  await insertLog(database.pool('owner'), logId, { ...identity, root: EMPTY_ROOT });
  return requireLog(database.pool('writer'), logId);
}

function requireSame(logId: number, log: LogIdentity, server: ServerIdentity): void {
  if (server.origin !== undefined && server.origin !== log.origin) {
    throw new LedgerError(
      'mismatch',
      `log ${logId} was opened as ${log.origin}, not as ${server.origin}; an origin never changes`,
    );
  }
  if (log.verifierKey !== server.verifierKey(log.origin)) {
    throw new LedgerError(
      'mismatch',
      `log ${logId} is signed by ${log.verifierKey}, the key folder holds ${server.verifierKey(log.origin)}; give the log's own key folder`,
    );
  }
  if (!sameBytes(log.personsCheck, server.personsCheck)) {
    throw new LedgerError(
      'mismatch',
      `persons.key of the key folder is not the one log ${logId} was opened with; give the log's own key folder`,
    );
  }
}
