import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DatabaseError, migrate } from '#database';
import { migrateFrom } from '../../src/database/migrate.ts';
import { MIGRATIONS_FOLDER } from '../../src/database/migration-files.ts';
import { afterAllOthers, emptyDatabase, testServer } from '../database.ts';
import { ask, closedFolder } from './embedded.ts';

/** A folder with this program's migrations and one more. */
async function folderWith(t: TestContext, more: Readonly<Record<string, string>>): Promise<string> {
  const folder = await closedFolder(t);
  for (const file of await readdir(MIGRATIONS_FOLDER))
    await copyFile(join(MIGRATIONS_FOLDER, file), join(folder, file));
  for (const [file, sql] of Object.entries(more)) await writeFile(join(folder, file), sql);
  return folder;
}
const count = async () => (await readdir(MIGRATIONS_FOLDER)).length;
const nth = (number: number, name: string) => `${String(number).padStart(6, '0')}_${name}.sql`;

async function refusal(run: Promise<unknown>): Promise<DatabaseError> {
  const error = await run.then(
    () => assert.fail('it was accepted'),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof DatabaseError, String(error));
  return error;
}

test('every file is applied once, in order, with the sha-256 of its bytes; a second run changes nothing', async (t) => {
  const url = await emptyDatabase(t);
  const told: string[] = [];
  await migrate(url, (says) => told.push(says));
  const files = (await readdir(MIGRATIONS_FOLDER)).toSorted();
  assert.deepEqual(
    told,
    files.map((file) => `migrating: ${file}`),
  );
  const applied = await ask(
    url,
    `select number, name, encode(sha256, 'hex') as sha256, applied_at from behalf.migration order by 1`,
  );
  const expected = await Promise.all(
    files.map(async (file, i) => ({
      number: i + 1,
      name: file.slice(7, -4),
      sha256: createHash('sha256')
        .update(await readFile(join(MIGRATIONS_FOLDER, file)))
        .digest('hex'),
    })),
  );
  assert.deepEqual(
    applied.map(({ applied_at: _, ...rest }) => rest),
    expected,
  );
  await migrate(url, (says) => told.push(says));
  assert.equal(told.length, files.length);
  assert.deepEqual(
    await ask(url, `select number, name, encode(sha256, 'hex') as sha256, applied_at from behalf.migration order by 1`),
    applied,
  );
});

test('servers that migrate at once apply every file once and all succeed', async (t) => {
  const url = await emptyDatabase(t);
  await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
  assert.deepEqual(await ask(url, 'select count(*)::int as n from behalf.migration'), [{ n: await count() }]);
});

test('databases of one server are migrated at once, though they share the roles', async (t) => {
  const urls = await Promise.all(Array.from({ length: 3 }, () => emptyDatabase(t)));
  await Promise.all(urls.map((url) => migrate(url)));
  for (const url of urls) await ask(url, 'select from behalf.log');
});

test('a new file is applied to a database that has the older ones', async (t) => {
  const url = await emptyDatabase(t);
  await migrate(url);
  const file = nth((await count()) + 1, 'more');
  await migrateFrom(await folderWith(t, { [file]: 'create table behalf.more (log_id int primary key)' }), url);
  assert.deepEqual(await ask(url, 'select * from behalf.more'), []);
});

test('a file that fails is named with its line, and nothing of it stays', async (t) => {
  const url = await emptyDatabase(t);
  const file = nth((await count()) + 1, 'more');
  const folder = await folderWith(t, {
    [file]: 'create table behalf.more (a int);\n\ninsert into behalf.nowhere values (1);\n',
  });
  const error = await refusal(migrateFrom(folder, url));
  assert.equal(error.code, 'migration');
  assert.match(error.message, /_more\.sql failed at line 3: .*behalf\.nowhere.*; nothing of it was applied/);
  assert.deepEqual(
    await ask(url, `select to_regclass('behalf.more')::text as more, count(*)::int as n from behalf.migration`),
    [{ more: null, n: await count() }],
  );
  await writeFile(join(folder, file), 'create table behalf.more (a int)');
  await migrateFrom(folder, url);
  assert.deepEqual(await ask(url, 'select * from behalf.more'), []);
});

test('a database newer than the program is refused and left as it is', async (t) => {
  const url = await emptyDatabase(t);
  const file = nth((await count()) + 1, 'more');
  await migrateFrom(await folderWith(t, { [file]: 'create table behalf.more (a int)' }), url);
  const error = await refusal(migrate(url));
  assert.equal(error.code, 'migration');
  assert.match(error.message, /newer than this program: it has migration \d+ \(more\).*run the newer program/);
});

test('an applied file that was changed afterwards is refused', async (t) => {
  const url = await emptyDatabase(t);
  await migrate(url);
  const first = (await readdir(MIGRATIONS_FOLDER)).toSorted()[0] ?? '';
  const folder = await folderWith(t, {});
  await writeFile(join(folder, first), `${await readFile(join(folder, first), 'utf8')}-- one more word\n`);
  const error = await refusal(migrateFrom(folder, url));
  assert.equal(error.code, 'migration');
  assert.match(
    error.message,
    new RegExp(`${first} is not what was applied .*restore it and put the change in a new file`),
  );
});

test('files are numbered without gaps and named by a noun', async (t) => {
  const url = await emptyDatabase(t);
  const next = (await count()) + 1;
  for (const file of [nth(next + 1, 'gap'), nth(1, 'twice'), '7_short.sql', nth(next, 'Upper')]) {
    const error = await refusal(migrateFrom(await folderWith(t, { [file]: 'select 1' }), url));
    assert.match(error.message, /expected (number|six digits)/, file);
  }
  assert.deepEqual(await ask(url, `select to_regclass('behalf.migration')::text as there`), [{ there: null }]);
});

test('a user who may not make roles is told what an administrator has to do, and goes on when it is done', async (t) => {
  const login = `behalf_test_plain_${process.pid}`;
  const { server } = testServer();
  await ask(server, `create role ${login} login password 'plain'`);
  afterAllOthers(t, async () => void (await ask(server, `drop role ${login}`)));
  const parsed = new URL(await emptyDatabase(t));
  await ask(server, `grant create on database ${parsed.pathname.slice(1)} to ${login}`);
  parsed.username = login;
  parsed.password = 'plain';
  const error = await refusal(migrate(parsed.href));
  assert.equal(error.code, 'configuration');
  assert.match(error.message, /role behalf_writer; give it CREATEROLE, or let an administrator run: create role/);
  for (const role of ['writer', 'reader', 'projector']) await ask(server, `grant behalf_${role} to ${login}`);
  await migrate(parsed.href);
});
