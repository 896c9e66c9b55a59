import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCheckpoint } from '@behalf/verify';
import { connectDatabase, type Database } from '#database';
import { APPEND } from '../../src/ledger/sql/append.ts';
import { cuttingProxy } from './cutting-proxy.ts';
import { indexesOf, range, testLog } from './harness.ts';
import { ALICE, hops, PLANNER } from './observations.ts';

/** A server whose connections can be cut at a chosen statement; everyone else reads past it. */
async function cuttableServer(t: TestContext) {
  const log = await testLog(t);
  const proxy = await cuttingProxy(t, log.database.url);
  const database = connectDatabase({ url: proxy.url, poolSize: 2 });
  t.after(() => database.close());
  return { log, proxy, ledger: await log.open({ database }) };
}

const durableWrites = [
  ['the storing of a batch', APPEND],
  ['the entry of a person', 'insert into behalf.person'],
] as const;

for (const [what, text] of durableWrites) {
  for (const cut of ['before', 'after'] as const) {
    test(`${what} cut ${cut} it took effect: the caller is told, sends again, and each observation is stored once`, async (t) => {
      const { log, proxy, ledger } = await cuttableServer(t);
      await ledger.append(hops(3, { subject: PLANNER }));
      const sent = hops(5);
      if (text === APPEND) await ledger.append(hops(1, { subject: ALICE })); // the person is known
      const size = Number((await log.reader.log()).size);
      const wasCut = proxy.cutNext(text, cut);
      await assert.rejects(ledger.append(sent), { name: 'LedgerError', code: 'unavailable', retryable: true });
      await wasCut;
      const survived = text === APPEND && cut === 'after' ? 5 : 0;
      assert.equal((await log.reader.log()).size, BigInt(size + survived));
      await log.sound(size + survived);
      const again = await ledger.append(sent);
      assert.deepEqual(indexesOf(again), range(size, size + 5));
      assert.ok(again.every((each) => each.kind === 'sequenced' && each.duplicate === survived > 0));
      assert.deepEqual(indexesOf(await ledger.append(hops(1))), range(size + 5, size + 6));
      await ledger.publish();
      await log.sound(size + 6, ledger.verifierKey);
    });
  }
}

test('a checkpoint whose storing was cut is stored by the next publish, the same one', async (t) => {
  const { log, proxy, ledger } = await cuttableServer(t);
  await ledger.append(hops(3));
  const wasCut = proxy.cutNext('insert into behalf.checkpoint', 'before');
  await assert.rejects(ledger.publish(), { code: 'unavailable' });
  await wasCut;
  assert.equal((await log.reader.checkpoint())?.size, 0n);
  assert.equal((await ledger.publish()).size, 3n);
  const note = (await log.reader.checkpoint())?.note ?? '';
  assert.equal((await openCheckpoint(note, ledger.verifierKey)).size, 3n);
  await log.sound(3, ledger.verifierKey);
});

/** The backend that waits inside this statement's trigger. */
async function sleepingBackend(database: Database): Promise<number> {
  for (;;) {
    const { rows } = await database
      .pool('owner')
      .query<{ pid: number }>(
        `select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
      );
    const [row] = rows;
    if (row !== undefined) return row.pid;
    await sleep(10);
  }
}

const onInsert = (table: string, body: string): string => `
  create function behalf.fault() returns trigger language plpgsql as $$ begin ${body}; return null; end $$;
  create trigger fault after insert on behalf.${table} for each statement execute function behalf.fault()`;

for (const table of ['entry_bundle', 'id_bucket', 'tile']) {
  test(`a server process ended while it stores into ${table}: nothing is half-stored and the next append works`, async (t) => {
    const log = await testLog(t);
    const ledger = await log.open();
    const owner = log.database.pool('owner');
    await ledger.append(hops(2));
    await owner.query(onInsert(table, 'perform pg_sleep(60)'));
    const sent = hops(4);
    const refused = assert.rejects(ledger.append(sent), { code: 'unavailable', retryable: true });
    await owner.query('select pg_terminate_backend($1)', [await sleepingBackend(log.database)]);
    await refused;
    await owner.query(`drop trigger fault on behalf.${table}`);
    await log.sound(2);
    assert.deepEqual(indexesOf(await ledger.append(sent)), range(2, 6));
    await ledger.publish();
    await log.sound(6, ledger.verifierKey);
  });

  test(`${table} refuses a row: the caller is told without what was to be stored, and the next append works`, async (t) => {
    const log = await testLog(t);
    const ledger = await log.open();
    const owner = log.database.pool('owner');
    await owner.query(onInsert(table, `raise exception 'quota of %', 'alice'`));
    const sent = hops(4);
    await assert.rejects(ledger.append(sent), (error: Error & { code?: string; retryable?: boolean }) => {
      assert.deepEqual([error.name, error.code, error.retryable], ['LedgerError', 'failed', false]);
      assert.match(error.message, /SQLSTATE P0001/);
      assert.doesNotMatch(error.message, /alice/);
      return true;
    });
    await owner.query(`drop trigger fault on behalf.${table}`);
    assert.deepEqual(indexesOf(await ledger.append(sent)), range(0, 4));
    await log.sound(4);
  });
}

test('a checkpoint the database refuses is signed once and stored as soon as it is taken', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(2));
  await log.database.pool('owner').query(onInsert('checkpoint', `raise exception 'no'`));
  await assert.rejects(ledger.publish(), { code: 'failed' });
  assert.equal((await log.reader.checkpoint())?.size, 0n);
  await log.database.pool('owner').query('drop trigger fault on behalf.checkpoint');
  assert.equal((await ledger.publish()).size, 2n);
  await log.sound(2, ledger.verifierKey);
});

test('trouble of one kind is told once, however often the loop meets it', async (t) => {
  const log = await testLog(t);
  const alarms: string[] = [];
  const ledger = await log.open({
    publishIntervalMs: 1,
    onAlarm: (error) => alarms.push(error instanceof Error ? error.name : 'unknown'),
  });
  await log.database.pool('owner').query(onInsert('checkpoint', `raise exception 'no'`));
  await ledger.append(hops(2));
  while (alarms.length === 0) await sleep(1);
  for (let i = 0; i < 20; i += 1) await assert.rejects(ledger.publish(), { code: 'failed' });
  assert.deepEqual(alarms, ['LedgerError']);
  await log.database.pool('owner').query('drop trigger fault on behalf.checkpoint');
  while ((await log.reader.checkpoint())?.size !== 2n) await sleep(1);
  await ledger.close();
  await log.sound(2, ledger.verifierKey);
});

test('a full disk: the caller is told to send again and the operator to make room, nothing is stored or signed', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const owner = log.database.pool('owner');
  await owner.query(onInsert('entry_bundle', `raise exception 'could not extend file' using errcode = '53100'`));
  const sent = hops(4);
  await assert.rejects(ledger.append(sent), {
    code: 'unavailable',
    retryable: true,
    message: /disk is full; nothing was stored; make room/,
  });
  assert.equal((await ledger.publish()).size, 0n);
  await owner.query('drop trigger fault on behalf.entry_bundle');
  assert.deepEqual(indexesOf(await ledger.append(sent)), range(0, 4));
  await log.sound(4);
});
