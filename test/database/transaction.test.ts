import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRetryable, transaction } from '#database';
import { testDatabase } from '../database.ts';

const make = 'create table public.note (says text primary key)';

test('a transaction that resolves is committed; one that throws leaves nothing', async (t) => {
  const pool = (await testDatabase(t)).pool('owner');
  await pool.query(make);
  assert.equal(await transaction(pool, async (db) => (await db.query(`insert into note values ('a')`)).rowCount), 1);
  const mistake = new Error('changed my mind');
  await assert.rejects(
    transaction(pool, async (db) => {
      await db.query(`insert into note values ('b')`);
      throw mistake;
    }),
    mistake,
  );
  assert.deepEqual((await pool.query('select says from note')).rows, [{ says: 'a' }]);
});

test('a failed statement that was ignored does not pass for a commit', async (t) => {
  const pool = (await testDatabase(t)).pool('owner');
  await pool.query(make);
  await assert.rejects(
    transaction(pool, async (db) => {
      await db.query(`insert into note values ('a')`);
      await db.query(`insert into note values ('a')`).catch(() => undefined);
    }),
    /expected COMMIT, the server answered ROLLBACK/,
  );
  assert.equal((await pool.query('select from note')).rowCount, 0);
});

test('a connection that dies between two statements is a retryable error, and the next transaction gets a new one', async (t) => {
  const database = await testDatabase(t);
  const pool = database.pool('owner');
  await pool.query(make);
  const error = await transaction(pool, async (db) => {
    await db.query(`insert into note values ('lost')`);
    const { rows } = await db.query('select pg_backend_pid() as pid');
    const gone = new Promise((resolve) => db.once('end', resolve));
    await database.pool('owner').query('select pg_terminate_backend($1::int)', [rows[0].pid]);
    await gone; // nothing is asked of the connection when it dies: only its listener hears of it
    await db.query('select 1');
  }).catch((caught: unknown) => caught);
  assert.ok(isRetryable(error), String(error));
  await transaction(pool, (db) => db.query(`insert into note values ('kept')`));
  assert.deepEqual((await pool.query('select says from note')).rows, [{ says: 'kept' }]);
});

test('a connection is given back after success and after failure', async (t) => {
  const pool = (await testDatabase(t)).pool('owner');
  for (let i = 0; i < 20; i += 1) {
    await transaction(pool, (db) => db.query('select 1'));
    await assert.rejects(
      transaction(pool, (db) => db.query('select 1/0')),
      /division by zero/,
    );
  }
  assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [1, 1, 0]);
});
