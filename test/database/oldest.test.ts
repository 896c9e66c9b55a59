import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { connectDatabase, migrate } from '#database';
import { ask } from './embedded.ts';
import { otherPostgres } from './other-postgres.ts';

/** Where Debian keeps the oldest version that is promised to work. */
const BIN = '/usr/lib/postgresql/15/bin';

test('PostgreSQL 15 works, owned by a superuser, by a user with CREATEROLE, or with roles made by an administrator', async (t) => {
  if (!existsSync(BIN)) return t.skip(`there is no PostgreSQL 15 in ${BIN}`);
  const admin = await otherPostgres(t, BIN);
  assert.match(String((await ask(admin, 'show server_version'))[0]?.server_version), /^15\./);
  const as = (user: string, database: string) =>
    admin.replace('postgres@localhost/postgres', `${user}@localhost/${database}`);

  await ask(admin, 'create role maker login createrole');
  await ask(admin, 'create database made owner maker');
  await works(as('maker', 'made'));

  await ask(admin, 'create role plain login');
  await ask(admin, 'create database plain owner plain');
  await assert.rejects(migrate(as('plain', 'plain')), /grant behalf_writer to <user>/);
  for (const role of ['writer', 'reader', 'projector']) await ask(admin, `grant behalf_${role} to plain`);
  await works(as('plain', 'plain'));

  await ask(admin, 'create database super');
  await works(as('postgres', 'super'));
});

/** Migrated twice, and every role may do what it must and no more. */
async function works(url: string): Promise<void> {
  const told: string[] = [];
  await migrate(url, (says) => told.push(says));
  await migrate(url);
  assert.match(told.join('\n'), /fsync = off; a power cut can lose/);
  const database = connectDatabase({ url });
  try {
    await database
      .pool('owner')
      .query(
        `insert into behalf.log (log_id, origin, verifier_key, persons_check, root) values (1, 'o', 'k', $1::bytea, $1::bytea)`,
        [Buffer.alloc(32)],
      );
    await database.pool('writer').query('select behalf.extend_entry_bundle(1, 16777216)');
    await database
      .pool('writer')
      .query(
        `insert into behalf.entry_bundle values (1, 0, '{1}', sha256('a'), 'a'), (1, 16777216, '{1}', sha256('b'), 'b')`,
      );
    assert.equal((await database.pool('reader').query('select from behalf.entry')).rowCount, 2);
    assert.equal((await database.pool('projector').query('select from behalf.entry')).rowCount, 2);
    await assert.rejects(database.pool('writer').query('delete from behalf.entry_bundle'), { code: '42501' });
    await assert.rejects(database.pool('owner').query('delete from behalf.entry_bundle'), /append-only/);
    await assert.rejects(database.pool('owner').query('truncate behalf.entry_bundle_1'), /append-only/);
  } finally {
    await database.close();
  }
}
