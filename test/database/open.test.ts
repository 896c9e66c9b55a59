import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '#database';
import { emptyDatabase } from '../database.ts';
import { ask, closedFolder, postmasterPid, usedFolder } from './embedded.ts';

test('without an address the embedded PostgreSQL is started, migrated, and stopped by close', async (t) => {
  const dataDir = await closedFolder(t);
  const told: string[] = [];
  const database = await openDatabase({ dataDir, onProgress: (says) => told.push(says) });
  t.after(() => database.close());
  assert.equal((await database.pool('reader').query('select from behalf.log')).rowCount, 0);
  assert.match(told.join('\n'), /^making a PostgreSQL 18 database in .*\nmigrating: 000001_ledger\.sql/);
  assert.ok(postmasterPid(dataDir) > 0);
  await database.close();
  assert.equal(existsSync(join(dataDir, 'postgres', 'postmaster.pid')), false);
});

test('with an address that database is migrated, and nothing is put in the data folder', async (t) => {
  const url = await emptyDatabase(t);
  const dataDir = join(await closedFolder(t), 'unused');
  const database = await openDatabase({ url, dataDir });
  t.after(() => database.close());
  assert.equal((await database.pool('writer').query('select from behalf.log')).rowCount, 0);
  assert.equal(existsSync(dataDir), false);
});

test('when the migration fails PostgreSQL is stopped before the error is thrown', async (t) => {
  const dataDir = await usedFolder(t);
  const database = await openDatabase({ dataDir });
  await ask(database.url, `update behalf.migration set sha256 = sha256('other') where number = 1`);
  await database.close();
  await assert.rejects(openDatabase({ dataDir }), { code: 'migration' });
  assert.equal(existsSync(join(dataDir, 'postgres', 'postmaster.pid')), false);
});
