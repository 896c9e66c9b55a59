import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { connectDatabase, DatabaseError, migrate, openDatabase } from '#database';
import { describeDatabase, parseDatabaseUrl, withDatabase, withSettings } from '../../src/database/url.ts';

const SECRET = 'very-secret';
const NOT_UNDERSTOOD = [
  `mysql://u:${SECRET}@host/db`,
  `postgres//u:${SECRET}@host/db`,
  `postgres://u:${SECRET}@ho st/db`,
  `postgres://u:${SECRET}@host:notaport/db`,
  `host=x password=${SECRET}`,
  '',
];

test('an address that is not understood is refused before anything starts, and is not repeated', async () => {
  for (const url of NOT_UNDERSTOOD) {
    for (const attempt of [
      async () => connectDatabase({ url }),
      () => migrate(url),
      () => openDatabase({ url, dataDir: '/nonexistent' }),
    ]) {
      const error = await attempt().then(
        () => assert.fail(`accepted ${url}`),
        (caught: unknown) => caught,
      );
      assert.ok(error instanceof DatabaseError && error.code === 'configuration');
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), new RegExp(SECRET));
    }
  }
});

test('a database shows its password nowhere but in url', async () => {
  const url = `postgres://u:${SECRET}@127.0.0.1:1/db`;
  const database = connectDatabase({ url });
  const pool = database.pool('writer');
  const error = await pool.query('select 1').catch((caught: unknown) => caught);
  assert.doesNotMatch(inspect([database, pool, error], { depth: 9 }), new RegExp(SECRET));
  assert.equal(database.url, url);
  await database.close();
});

test('a message names host and database, not the user or the password', () => {
  assert.equal(
    describeDatabase(`postgres://u:${SECRET}@db.example:6432/audit?sslmode=require`),
    'audit at db.example:6432',
  );
  assert.equal(describeDatabase(`postgres://u:${SECRET}@/audit?host=/run/postgresql`), 'audit at /run/postgresql');
  assert.equal(describeDatabase(`postgresql://${SECRET}@localhost`), `${SECRET} at localhost`);
});

test('settings join those the address has, and its password survives whatever characters it holds', () => {
  const url = 'postgres://u:p%40%2F%3F%25@host/db?options=-c%20work_mem%3D8MB&sslmode=verify-full';
  const parsed = parseDatabaseUrl(withSettings(url, { role: 'behalf_reader' }));
  assert.equal(parsed.searchParams.get('options'), '-c work_mem=8MB -c role=behalf_reader');
  assert.equal(parsed.searchParams.get('sslmode'), 'verify-full');
  assert.equal(decodeURIComponent(parsed.password), 'p@/?%');
});

test('another database of the same server keeps everything else', () => {
  assert.equal(withDatabase('postgres://u:p@h:1/a?host=%2Fx', 'b'), 'postgres://u:p@h:1/b?host=%2Fx');
});
