import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ClientBase } from 'pg';
import { type Database, transaction } from '#database';
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
  /** One statement of the owner's with every guard off. */
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

const GUARDED = ['log', 'entry_bundle', 'id_bucket', 'tile', 'checkpoint'];

/**
 * One transaction of the owner's with every guard off: what only privilege and signatures stand against. Meanwhile
 * behalf.entry is a table of entries one by one, with the leaf hash stored beside each; where none is given, its own.
 */
export async function unguarded<T>(database: Database, run: (owner: ClientBase) => Promise<T>): Promise<T> {
  return transaction(database.pool('owner'), async (client) => {
    for (const table of GUARDED) await client.query(`alter table behalf.${table} disable trigger user`);
    await client.query(UNPACK);
    const result = await run(client);
    await client.query(PACK);
    for (const table of GUARDED) await client.query(`alter table behalf.${table} enable trigger user`);
    return result;
  });
}

const UNPACK = `
  alter view behalf.entry rename to entry_view;
  create table behalf.entry (log_id int, leaf_index bigint, bytes bytea, leaf bytea, primary key (log_id, leaf_index));
  insert into behalf.entry select * from behalf.entry_view`;

/** Back into runs, each as long as it can be. */
const PACK = `
  delete from behalf.entry_bundle;
  insert into behalf.entry_bundle (log_id, first_index, ends, leaves, bytes)
  select log_id, min(leaf_index), array_agg(ending order by leaf_index), string_agg(leaf, '' order by leaf_index),
         string_agg(bytes, '' order by leaf_index)
  from (
    select *, (sum(octet_length(bytes)) over (partition by log_id, leaf_index / 256, run order by leaf_index))::int as ending
    from (
      select log_id, leaf_index, bytes, coalesce(leaf, sha256('\\x00'::bytea || bytes)) as leaf,
             leaf_index - row_number() over (partition by log_id, leaf_index / 256 order by leaf_index) as run
      from behalf.entry
    ) e
  ) e group by log_id, leaf_index / 256, run;
  drop table behalf.entry;
  alter view behalf.entry_view rename to entry`;

/** Flips a bit of a stored hash, by its place in its tile; twice is none. */
export const flipHash = (level: number, tile: number | string, position: number, byte = 0): string =>
  level === 0
    ? `update behalf.entry set leaf = set_byte(leaf, ${byte}, get_byte(leaf, ${byte}) # 1)
       where log_id = 1 and leaf_index = ${Number(tile) * 256 + position}`
    : `update behalf.tile set hashes = set_byte(hashes, ${position * 32 + byte}, get_byte(hashes, ${position * 32 + byte}) # 1)
       where log_id = 1 and level = ${level} and tile_index = ${tile}`;

async function tamper(database: Database, sql: string, values: readonly unknown[]): Promise<void> {
  const { rowCount } = await unguarded(database, (owner) => owner.query(sql, [...values]));
  assert.ok(rowCount !== null && rowCount > 0, `nothing was tampered with: ${sql}`);
}

/** The indexes of a call's answers; each must be sequenced. */
export const indexesOf = (appended: readonly Appended[]): bigint[] =>
  appended.map((each) => (each.kind === 'sequenced' ? each.leafIndex : assert.fail(`refused: ${each.reason}`)));

export const range = (from: number, to: number): bigint[] =>
  Array.from({ length: to - from }, (_, i) => BigInt(from + i));
