import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { verifyLog } from '@behalf/verify';
import { transaction } from '#database';
import { type Difference, findAbsentPersons } from '#ledger';
import { openPersonReader } from '#ledger/read';
import type { SealedPerson } from '#observation';
import { checkProjection, startProjection } from '#projection';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { deleteProjection } from '../../src/projection/sql/position.ts';
import { type TestLog, unguarded } from '../ledger/harness.ts';
import { hops } from '../ledger/observations.ts';
import { testApi } from '../query/api.ts';
import { audit, forged, publishedLog } from './log.ts';

/** Both who reads the database and who reads over HTTP must tell, and name the same first bad index. */
async function bothTell(
  { log, verifierKey }: { readonly log: TestLog; readonly verifierKey: string },
  fsck: Partial<Difference>,
  verify: { readonly code: string; readonly index?: bigint },
): Promise<void> {
  const { ok, firstDifference: { kind, leafIndex } = {} } = await log.fsck(verifierKey);
  assert.deepEqual({ ok, kind, leafIndex }, { ok: false, leafIndex: undefined, ...fsck });
  await assert.rejects(audit(log, verifierKey), (error: { code?: string; index?: bigint }) => {
    assert.deepEqual({ code: error.code, index: error.index }, { index: undefined, ...verify }, String(error));
    return true;
  });
}

const prepared = async (t: TestContext, size: number) => {
  const { log, ledger } = await publishedLog(t, size);
  return { log, verifierKey: ledger.verifierKey };
};

test('1: an entry’s bytes changed are told by fsck and verify, at its index', async (t) => {
  const on = await prepared(t, 700);
  await on.log.tamper(
    `update behalf.entry set bytes = convert_to(replace(convert_from(bytes, 'utf8'), '"books"', '"cooks"'), 'utf8')
     where log_id = 1 and leaf_index = 300`,
  );
  await bothTell(on, { kind: 'entry', leafIndex: 300n }, { code: 'entry_mismatch', index: 300n });
});

test('2: an entry changed together with its leaf hash is told by the tile above', async (t) => {
  const on = await prepared(t, 700);
  const bytes = forged((await on.log.reader.entry(300n)) ?? assert.fail());
  await on.log.tamper('update behalf.entry set bytes = $1, leaf = $2 where log_id = 1 and leaf_index = 300', [
    bytes,
    hashLeaf(bytes),
  ]);
  await bothTell(on, { kind: 'tile', leafIndex: 256n }, { code: 'tile_mismatch', index: 256n });
});

test('5: a row deleted from the middle is told as missing, at its index', async (t) => {
  const on = await prepared(t, 700);
  await on.log.tamper('delete from behalf.entry where log_id = 1 and leaf_index = 333');
  await bothTell(on, { kind: 'entry', leafIndex: 333n }, { code: 'unavailable', index: 256n });
});

test('5: over HTTP a missing row is told with the first leaf of its bundle, and with its own index in the words of the log', async (t) => {
  const { app, ledger, database, take, alarms } = await testApi(t);
  await take(hops(700));
  await unguarded(database, (owner) =>
    owner.query('delete from behalf.entry where log_id = 1 and leaf_index in (333, 450)'),
  );
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/log`;
  await assert.rejects(verifyLog({ url, verifierKey: ledger.verifierKey }), {
    code: 'unavailable',
    index: 256n,
    message: /tile\/entries\/001: expected status 200, got 500; the log says "entry 333 is missing; run behalf fsck"/,
  });
  assert.ok(alarms.length > 0, 'and the operator is told');
});

test('6: a backdated row cannot reuse an index, and one that shifts the others with their leaf hashes is told by the tile above', async (t) => {
  const on = await prepared(t, 700);
  await assert.rejects(
    on.log.tamper(
      'insert into behalf.entry select log_id, 10, bytes from behalf.entry where log_id = 1 and leaf_index = 11',
    ),
    { code: '23505' },
  );
  await on.log.tamper(
    'update behalf.entry set leaf_index = leaf_index + 100000 where log_id = 1 and leaf_index >= 400',
  );
  await on.log.tamper(
    'update behalf.entry set leaf_index = leaf_index - 99999 where log_id = 1 and leaf_index >= 100000',
  );
  await on.log.tamper(
    'insert into behalf.entry select log_id, 400, bytes from behalf.entry where log_id = 1 and leaf_index = 3',
  );
  await bothTell(on, { kind: 'tile', leafIndex: 256n }, { code: 'tile_mismatch', index: 256n });
});

test('7: two rows that changed places are told, the first of them named', async (t) => {
  const on = await prepared(t, 700);
  await on.log.tamper(
    `update behalf.entry e set bytes = other.bytes from behalf.entry other
     where e.log_id = 1 and other.log_id = 1 and e.leaf_index in (290, 610) and other.leaf_index = 900 - e.leaf_index`,
  );
  await bothTell(on, { kind: 'entry', leafIndex: 290n }, { code: 'entry_mismatch', index: 290n });
});

async function personsOf(log: TestLog, origin: string) {
  const persons = await openPersonReader({ database: log.database, logId: 1, origin, keyFolder: log.keyFolder });
  const entry = JSON.parse(Buffer.from((await log.reader.entry(0n)) ?? assert.fail()).toString());
  return { persons, alice: entry.subject as SealedPerson };
}

test('11: a person’s key changed or exchanged for another’s is told when it is opened, and names nobody wrongly', async (t) => {
  const { log, ledger } = await publishedLog(t, 3);
  const { persons, alice } = await personsOf(log, ledger.origin);
  assert.equal((await persons.open([alice])).size, 1);
  await log.tamper(
    'update behalf.person set wrapped_key = set_byte(wrapped_key, 60, get_byte(wrapped_key, 60) # 1) where log_id = 1',
  );
  await assert.rejects(persons.open([alice]), { name: 'SealError' });
  await assert.rejects(persons.disclose([alice]), { name: 'SealError' });
});

test('12: a person’s row that is gone is told, with the first entry that names them', async (t) => {
  const { log } = await publishedLog(t, 3);
  assert.deepEqual(await findAbsentPersons({ database: log.database, logId: 1 }), { persons: 0 });
  await log.tamper('delete from behalf.person where log_id = 1');
  const { persons, first } = await findAbsentPersons({ database: log.database, logId: 1 });
  assert.deepEqual([persons, first?.leafIndex], [1, 0n]);
});

for (const [what, sql, table] of [
  ['a chain hidden', 'delete from behalf.chain where log_id = 1 and set_id = 2', 'chain'],
  ['a hop hidden', 'delete from behalf.hop where log_id = 1 and set_id = 2', 'hop'],
  [
    'a chain shown as another’s',
    "update behalf.chain set subject_key = 'p_0' where log_id = 1 and set_id = 2",
    'chain',
  ],
  ['a verdict changed', "update behalf.chain set verdict = 'permitted!' where log_id = 1 and set_id = 2", 'chain'],
  [
    'a body changed',
    "update behalf.hop set body = replace(body, 'books', 'cooks') where log_id = 1 and set_id = 2",
    'hop',
  ],
  [
    'a surplus chain',
    "insert into behalf.chain select log_id, 'c_0', 2, from_time, to_time, subject_key, actor_keys, services, resources, scopes, trace_ids, transactions, verdict, rules, summary, body from behalf.chain where log_id = 1 and set_id = 2",
    'chain',
  ],
  ['an entry in no set', 'delete from behalf.projected_entry where log_id = 1 and leaf_index = 2', 'projected_entry'],
] as const) {
  test(`13: ${what} in what queries show is told by the projection’s check, at the entry it rests on`, async (t) => {
    const { log } = await publishedLog(t, 4);
    const { database } = log;
    const projection = startProjection({ database, logId: 1, onAlarm: assert.ifError });
    await projection.caughtUp(4n);
    await projection.close();
    const before = await checkProjection({ database, logId: 1 });
    assert.deepEqual([before.ok, before.entries, before.behind], [true, 4n, 0n]);
    assert.ok(before.rows > 8n, 'it compared something');
    await log.tamper(sql);
    const { ok, firstDifference } = await checkProjection({ database, logId: 1 });
    assert.deepEqual([ok, firstDifference?.leafIndex], [false, 2n]);
    assert.match(firstDifference?.says ?? '', new RegExp(`^${table} `));
    await log.sound(4);
  });
}

test('13: a projection emptied, position and all, is told: a check that examined nothing holds nothing', async (t) => {
  const { log } = await publishedLog(t, 4);
  const { database } = log;
  const never = await checkProjection({ database, logId: 1 });
  assert.deepEqual([never.ok, never.behind, never.firstDifference?.leafIndex], [false, 4n, 0n]);
  const projection = startProjection({ database, logId: 1, onAlarm: assert.ifError });
  await projection.caughtUp(4n);
  await projection.close();
  await transaction(database.pool('projector'), (client) => deleteProjection(client, 1));
  const emptied = await checkProjection({ database, logId: 1 });
  assert.deepEqual([emptied.ok, emptied.firstDifference?.leafIndex], [false, 0n], emptied.firstDifference?.says);
});
