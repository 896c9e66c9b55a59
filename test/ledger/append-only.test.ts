import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database, Role } from '#database';
import { testLog } from './harness.ts';
import { hops } from './observations.ts';

const TABLES = ['log', 'entry_bundle', 'entry_bundle_0', 'id_bucket', 'tile', 'checkpoint'] as const;

/** Every statement that would take back or change what is stored, by table. */
const FORBIDDEN: readonly string[] = [
  ...TABLES.flatMap((table) => [`delete from behalf.${table} where log_id = 1`, `truncate behalf.${table}`]),
  `update behalf.entry_bundle set bytes = '\\x00'::bytea where log_id = 1`,
  `update behalf.entry_bundle_0 set bytes = '\\x00'::bytea where log_id = 1`,
  'update behalf.entry_bundle set first_index = first_index + 100 where log_id = 1',
  'update behalf.id_bucket set first_index = 1 where log_id = 1',
  `update behalf.checkpoint set note = 'x' where log_id = 1`,
  'update behalf.tile set hashes = substring(hashes from 1 for 32) where log_id = 1 and level = 1',
  `update behalf.tile set hashes = overlay(hashes placing '\\x00'::bytea from 1) where log_id = 1`,
  'update behalf.log set size = size - 1 where log_id = 1',
  `update behalf.log set root = '\\x${'00'.repeat(32)}'::bytea where log_id = 1`,
];

async function refusal(database: Database, role: Role, sql: string): Promise<{ code: unknown; message: string }> {
  try {
    await database.pool(role).query(sql);
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error, sql);
    return { code: error.code, message: error.message };
  }
  return assert.fail(`${role} may: ${sql}`);
}

test('the writer may change nothing that is stored: refused by privilege, or where it may update, by the guard', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(600));
  await ledger.publish();
  for (const sql of FORBIDDEN) assert.equal((await refusal(log.database, 'writer', sql)).code, '42501', sql);
  await refusal(log.database, 'writer', `update behalf.log set origin = 'other' where log_id = 1`);
  await refusal(log.database, 'writer', 'delete from behalf.person where log_id = 1');
  await log.sound(600, ledger.verifierKey);
});

test('the owner is refused by triggers', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(600));
  await ledger.publish();
  for (const sql of FORBIDDEN) {
    const { code, message } = await refusal(log.database, 'owner', sql);
    assert.equal(code, '42501', sql);
    assert.match(message, /refused/, sql);
  }
  for (const column of ['origin', 'verifier_key']) {
    await refusal(log.database, 'owner', `update behalf.log set ${column} = 'x', size = size + 1 where log_id = 1`);
  }
  await log.sound(600, ledger.verifierKey);
});

test('reader and projector may write nothing', async (t) => {
  const log = await testLog(t);
  await log.open();
  for (const role of ['reader', 'projector'] as const) {
    for (const sql of [
      ...FORBIDDEN,
      `insert into behalf.entry_bundle values (1, 0, '{1}', sha256('\\x0000'), '\\x00')`,
    ]) {
      assert.match(String((await refusal(log.database, role, sql)).code), /^(42501|25006)$/, `${role}: ${sql}`);
    }
  }
});

test('the writer has partitions made ahead of its log, and not further', async (t) => {
  const log = await testLog(t);
  await log.open();
  const writer = log.database.pool('writer');
  await writer.query('select behalf.extend_entry_bundle(1, 16777216)');
  const { rows } = await writer.query(`select to_regclass('behalf.entry_bundle_1') is not null as made`);
  assert.deepEqual(rows, [{ made: true }]);
  assert.equal((await refusal(log.database, 'owner', 'truncate behalf.entry_bundle_1')).code, '42501');
  const { message } = await refusal(log.database, 'writer', 'select behalf.extend_entry_bundle(1, 16777217)');
  assert.match(message, /at most 16777216 ahead/);
});

test('the schema refuses a run that is none: across a bundle, empty, an entry without bytes or too long, other lengths', async (t) => {
  const { database } = await testLog(t);
  const insert = (first: number, ends: string, leaves: number, bytes: number) =>
    database
      .pool('owner')
      .query(
        'insert into behalf.entry_bundle (log_id, first_index, ends, leaves, bytes) values (9, $1::bigint, $2::int[], $3::bytea, $4::bytea)',
        [first, ends, Buffer.alloc(32 * leaves), Buffer.alloc(bytes)],
      );
  for (const [what, first, ends, leaves, bytes] of [
    ['across a multiple of 256', 255, '{1,2}', 2, 2],
    ['empty', 0, '{}', 0, 0],
    ['an entry of no bytes', 0, '{1,1,2}', 3, 2],
    ['ends that go back', 0, '{3,1,4}', 3, 4],
    ['an end that is null', 0, '{1,null,3}', 3, 3],
    ['an entry of 65,536 bytes', 0, '{65536}', 1, 65_536],
    ['bytes left over', 0, '{1}', 1, 2],
    ['too few bytes', 0, '{1,3}', 2, 2],
    ['a leaf too many', 0, '{1}', 2, 1],
    ['two dimensions', 0, '{{1},{2}}', 2, 2],
    ['counted from 0', 0, '[0:1]={1,2}', 2, 2],
    ['before the log', -1, '{1}', 1, 1],
  ] as const) {
    await assert.rejects(insert(first, ends, leaves, bytes), { code: '23514' }, what);
  }
  await insert(254, '{1,65536}', 2, 65_536);
});
