import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectDatabase, type Role } from '#database';
import { testDatabase } from '../database.ts';

const ROLES: readonly Role[] = ['writer', 'reader', 'projector'];

test('every session of a pool works with its role, none of them a superuser', async (t) => {
  const database = await testDatabase(t);
  for (const role of ROLES) {
    const { rows } = await database
      .pool(role)
      .query(`select current_user as who, current_setting('application_name') as name, rolsuper or rolbypassrls as mighty
              from pg_roles where rolname = current_user`);
    assert.deepEqual(rows, [{ who: `behalf_${role}`, name: `behalf-${role}`, mighty: false }]);
  }
});

test('a writer waits for the disk even where the server default does not', async (t) => {
  const database = await testDatabase(t);
  const { rows } = await database.pool('owner').query('select current_database() as name');
  await database.pool('owner').query(`alter database ${rows[0].name} set synchronous_commit = off`);
  const setting = async (role: Role) => (await database.pool(role).query('show synchronous_commit')).rows[0];
  const other = connectDatabase({ url: database.url });
  t.after(() => other.close());
  assert.deepEqual((await other.pool('owner').query('show synchronous_commit')).rows[0], { synchronous_commit: 'off' });
  assert.deepEqual(await setting('writer'), { synchronous_commit: 'on' });
  assert.deepEqual(await setting('projector'), { synchronous_commit: 'off' });
});

test('a reader writes nothing; a writer changes, removes and empties nothing', async (t) => {
  const database = await testDatabase(t);
  const insert = `insert into behalf.id_bucket (log_id, day, bucket, first_index, ids)
    values (1, extract(epoch from now())::bigint / 86400, 0, 0, uuid_send(gen_random_uuid()))`;
  await assert.rejects(database.pool('reader').query(insert), { code: '25006' });
  await assert.rejects(database.pool('projector').query(insert), { code: '42501' });
  await database.pool('writer').query('select behalf.extend_id_bucket(1)');
  await database.pool('writer').query(insert);
  for (const statement of [
    'update behalf.id_bucket set first_index = 1',
    'delete from behalf.id_bucket',
    'truncate behalf.id_bucket',
    'drop table behalf.id_bucket',
    'alter table behalf.id_bucket disable trigger all',
  ]) {
    await assert.rejects(database.pool('writer').query(statement), { code: '42501' }, statement);
  }
  await assert.rejects(database.pool('owner').query('delete from behalf.id_bucket'), /append-only/);
});

test('a server that is not there is an error of the statement, not of the process', async () => {
  const database = connectDatabase({ url: 'postgres://nobody@127.0.0.1:1/none' });
  await assert.rejects(database.pool('writer').query('select 1'), { code: 'ECONNREFUSED' });
  await database.close();
  assert.throws(() => database.pool('writer'), /after close/);
});
