import { randomBytes } from 'node:crypto';
import { EMPTY_ROOT, formatVerifierKey } from '@behalf/verify';
import type { Database, Queryable } from '#database';
import { LedgerError } from './errors.ts';
import { sameBytes } from './hash.ts';
import { currentKeyOfLog } from './log-keys.ts';
import type { OpenedKeys } from './signer-messages.ts';
import { insertLog, type LogRow, selectLog } from './sql/log.ts';

/** What this server is: the keys it holds, and the origin it was told, if any. */
export interface ServerIdentity {
  readonly origin: string | undefined;
  /** Of the signer; undefined for a server that does not sign, which can open no new log. */
  readonly keys: OpenedKeys | undefined;
  readonly personsCheck: Uint8Array;
}

export interface OpenedLog extends LogRow {
  /** The key that signs now. */
  readonly currentKey: string;
}

/**
 * Finds the log, or opens it under the given or a new random origin; several servers may do so at once. Throws
 * LedgerError `mismatch` when the log was opened with other keys or under another origin, `rollback` when it is gone,
 * `rewritten` when its key was handed over by nobody who held it.
 */
export async function openLog(database: Database, logId: number, server: ServerIdentity): Promise<OpenedLog> {
  const found = await selectLog(database.pool('writer'), logId);
  const log = found ?? (await createLog(database, logId, server));
  const opened = { ...log, currentKey: await currentKeyOfLog(database.pool('writer'), logId, log) };
  requireSame(logId, opened, server);
  return opened;
}

/** Whether the log was opened before. */
export const hasLog = async (database: Database, logId: number): Promise<boolean> =>
  (await selectLog(database.pool('writer'), logId)) !== undefined;

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
  if (server.keys === undefined) throw new TypeError('openLog: a new log needs the signer');
  if (server.keys.hasSigned) {
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
  const identity = {
    origin,
    verifierKey: formatVerifierKey(origin, server.keys.current),
    personsCheck: server.personsCheck,
  };
  await insertLog(database.pool('owner'), logId, { ...identity, root: EMPTY_ROOT });
  return requireLog(database.pool('writer'), logId);
}

function requireSame(logId: number, log: OpenedLog, server: ServerIdentity): void {
  if (server.origin !== undefined && server.origin !== log.origin) {
    throw new LedgerError(
      'mismatch',
      `log ${logId} was opened as ${log.origin}, not as ${server.origin}; an origin never changes`,
    );
  }
  const held = [server.keys?.current, server.keys?.next].filter((key) => key !== undefined);
  const verifierKeys = held.map((key) => formatVerifierKey(log.origin, key));
  if (verifierKeys[0] !== undefined && !verifierKeys.includes(log.currentKey)) {
    throw new LedgerError(
      'mismatch',
      `log ${logId} is signed by ${log.currentKey}, this server's key is ${verifierKeys[0]}; give the log's own key folder or signer`,
    );
  }
  if (!sameBytes(log.personsCheck, server.personsCheck)) {
    throw new LedgerError(
      'mismatch',
      `persons.key of the key folder is not the one log ${logId} was opened with; give the log's own key folder`,
    );
  }
}
