import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexesOf, range, type TestLog, testLog } from './harness.ts';
import { hops } from './observations.ts';

/** As if everything remembered so far had been sequenced some days ago. */
async function age(log: TestLog, days: number): Promise<void> {
  const owner = log.database.pool('owner');
  const { rows } = await owner.query<{ day: number }>('select max(day) as day from behalf.id_bucket');
  const day = (rows[0]?.day ?? 0) - days;
  await owner.query(
    `create table behalf.id_bucket_${day} partition of behalf.id_bucket for values from (${day}) to (${day + 1})`,
  );
  await log.tamper('update behalf.id_bucket set day = $1::int', [day]);
}

test('an observation sent again within the window is stored once; after it, once more, and fsck takes that for no damage', async (t) => {
  const log = await testLog(t);
  const sent = hops(3);
  const one = await log.open();
  await one.append(sent);
  await one.close();
  await age(log, 1);
  const two = await log.open();
  assert.deepEqual(indexesOf(await two.append(sent)), range(0, 3));
  await two.close();
  await age(log, 2);
  const three = await log.open();
  assert.deepEqual(indexesOf(await three.append(sent)), range(3, 6));
  await three.publish();
  await log.sound(6, three.verifierKey);
});

test('the writer cannot have anything forgotten that is not beyond 24 hours', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(2));
  const writer = log.database.pool('writer');
  await assert.rejects(writer.query('select behalf.forget_id_bucket(23)'), /expected 24 to 8784/);
  await writer.query('select behalf.forget_id_bucket(24)');
  await log.sound(2);
  const { rows } = await log.database
    .pool('reader')
    .query<{ ids: string }>('select sum(octet_length(ids)) / 16 as ids from behalf.id_bucket');
  assert.equal(Number(rows[0]?.ids), 2);
});

/** The day it is by the database's clock. */
async function today(log: TestLog): Promise<number> {
  const { rows } = await log.database
    .pool('owner')
    .query<{ day: number }>('select (extract(epoch from now())::bigint / 86400)::int as day');
  return rows[0]?.day ?? 0;
}

test('a clock that leaps to a day nobody made a place for: the place is made and the batch stored, within the same call', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(2));
  const day = await today(log);
  for (const each of [day, day + 1]) await log.database.pool('owner').query(`drop table behalf.id_bucket_${each}`);
  const sent = hops(3);
  assert.deepEqual(indexesOf(await ledger.append(sent)), range(2, 5));
  assert.deepEqual(indexesOf(await ledger.append(sent)), range(2, 5));
  await ledger.publish();
  await log.sound(5, ledger.verifierKey);
});

test('a clock that went back by days: ids stay under the later day, so nothing is forgotten early, here and at other servers', async (t) => {
  const log = await testLog(t);
  const one = await log.open();
  await one.append(hops(2));
  const later = (await today(log)) + 9;
  await log.tamper('update behalf.log set id_day = $1', [later]); // as if it had been that day before
  const sent = hops(3);
  assert.deepEqual(indexesOf(await one.append(sent)), range(2, 5));
  const { rows } = await log.database
    .pool('reader')
    .query<{ day: number }>('select day from behalf.id_bucket where first_index >= 2');
  assert.ok(rows.length > 0 && rows.every(({ day }) => day === later));
  const two = await log.open();
  assert.deepEqual(indexesOf(await two.append(sent)), range(2, 5));
  await assert.rejects(
    log.database.pool('owner').query('update behalf.log set size = size + 1, id_day = id_day - 1 where log_id = 1'),
    { code: '42501' },
  );
  await two.publish();
  await log.sound(5, two.verifierKey);
});

test('a longer window keeps what a shorter one forgets', async (t) => {
  const log = await testLog(t);
  const sent = hops(3);
  const one = await log.open({ idWindowHours: 72 });
  await one.append(sent);
  await one.close();
  await age(log, 3);
  const two = await log.open({ idWindowHours: 72 });
  assert.deepEqual(indexesOf(await two.append(sent)), range(0, 3));
  await two.close();
  const three = await log.open();
  assert.deepEqual(indexesOf(await three.append(sent)), range(3, 6));
  await log.sound(6);
});
