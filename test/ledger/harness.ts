import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Database } from '#database';
import { type Appended, type FsckReport, fsck, type Ledger, type LedgerOptions, openLedger } from '#ledger';
import { type LogReader, openLogReader } from '#ledger/read';
import { testDatabase } from '../database.ts';

export interface TestLog {
  readonly database: Database;
  readonly keyFolder: string;
  /** Another server on the same log. It publishes only when asked. */
  open(options?: Partial<LedgerOptions>): Promise<Ledger>;
  readonly reader: LogReader;
  fsck(verifierKey?: string): Promise<FsckReport>;
  /** Fsck must find nothing, and have looked at this many entries. */
  sound(entries: number, verifierKey?: string): Promise<void>;
  /** One statement with every trigger off: what only a superuser can do. */
  tamper(sql: string, values?: readonly unknown[]): Promise<void>;
}

/** A fresh log on a fresh database. */
export async function testLog(t: TestContext, logId = 1): Promise<TestLog> {
  const database = await testDatabase(t);
  const keyFolder = await temporaryFolder(t);
  const check = (verifierKey?: string) =>
    fsck({ database, logId, ...(verifierKey === undefined ? {} : { verifierKey }) });
  return {
    database,
    keyFolder,
    open: (options = {}) => openTestLedger(t, { database, keyFolder, logId, ...options }),
    reader: openLogReader({ database, logId }),
    fsck: check,
    async sound(entries, verifierKey) {
      const report = await check(verifierKey);
      assert.deepEqual([report.ok, report.entries, report.firstDifference], [true, BigInt(entries), undefined]);
    },
    tamper: (sql, values = []) => tamper(database, sql, values),
  };
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-ledger-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An interval that no test reaches: checkpoints are made when asked. */
const NEVER = 2 ** 31 - 1;

async function openTestLedger(
  t: TestContext,
  options: Omit<LedgerOptions, 'onAlarm'> & Partial<LedgerOptions>,
): Promise<Ledger> {
  const ledger = await openLedger({ publishIntervalMs: NEVER, onAlarm: assert.ifError, ...options });
  t.after(() => ledger.close());
  return ledger;
}

async function tamper(database: Database, sql: string, values: readonly unknown[]): Promise<void> {
  const client = await database.pool('owner').connect();
  try {
    await client.query('set session_replication_role = replica');
    const { rowCount } = await client.query(sql, [...values]);
    assert.ok(rowCount !== null && rowCount > 0, `nothing was tampered with: ${sql}`);
  } finally {
    await client.query('reset session_replication_role');
    client.release();
  }
}

/** The indexes of a call's answers; each must be sequenced. */
export const indexesOf = (appended: readonly Appended[]): bigint[] =>
  appended.map((each) => (each.kind === 'sequenced' ? each.leafIndex : assert.fail(`refused: ${each.reason}`)));

export const range = (from: number, to: number): bigint[] =>
  Array.from({ length: to - from }, (_, i) => BigInt(from + i));
