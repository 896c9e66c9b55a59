import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { DatabaseError, findPostgres, startPostgres } from '#database';
import { ask, closedFolder, embedded, usedFolder } from './embedded.ts';

const isRoot = process.getuid?.() === 0;

test('the data lies in the data folder, also below a folder closed to the user who runs PostgreSQL, and survives a restart', async (t) => {
  const dataDir = join(await closedFolder(t), 'deeper', '.behalf');
  const first = await embedded(t, dataDir);
  await ask(first.postgres.url, `create table kept as select 'here' as it`);
  await first.postgres.stop();
  assert.ok(existsSync(join(dataDir, 'postgres', 'PG_VERSION')));
  assert.equal(existsSync(join(dataDir, 'postgres', 'postmaster.pid')), false, 'PostgreSQL still runs');
  const second = await embedded(t, dataDir);
  assert.deepEqual(await ask(second.postgres.url, 'select it from kept'), [{ it: 'here' }]);
  assert.equal(second.postgres.url, first.postgres.url);
});

test('as root PostgreSQL runs as a user without privileges, who owns the cluster and reads nothing else', async (t) => {
  if (!isRoot) return t.skip('this process is not root');
  const { dataDir } = await embedded(t);
  assert.notEqual((await stat(join(dataDir, 'postgres'))).uid, 0);
  for (const name of (await readdir(dataDir)).filter((each) => each !== 'postgres')) {
    const { uid, mode } = await stat(join(dataDir, name));
    assert.deepEqual([uid, mode & 0o077], [0, 0], name);
  }
});

test('it listens on a socket in the data folder alone, asks for the password, and commits to disk', async (t) => {
  const { postgres, dataDir } = await embedded(t);
  const settings = await ask(
    postgres.url,
    `select name, setting from pg_settings where name in ('listen_addresses', 'fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums') order by name`,
  );
  assert.deepEqual(
    settings.map((each) => [each.name, each.setting]),
    [
      ['data_checksums', 'on'],
      ['fsync', 'on'],
      ['full_page_writes', 'on'],
      ['listen_addresses', ''],
      ['synchronous_commit', 'on'],
    ],
  );
  const wrong = new URL(postgres.url);
  wrong.password = 'guess';
  for (const user of ['behalf', 'postgres']) {
    wrong.username = user;
    await assert.rejects(ask(wrong.href, 'select 1'), { code: '28P01' });
  }
  assert.deepEqual(await ask(postgres.url, 'select rolsuper from pg_roles where rolname = current_user'), [
    { rolsuper: false },
  ]);
  const { mode } = await stat(join(dataDir, 'postgres.password'));
  assert.equal(mode & 0o777, 0o600);
});

test('its log holds neither the password nor rows nor statements', async (t) => {
  const { postgres, dataDir } = await embedded(t);
  await assert.rejects(
    ask(
      postgres.url,
      `create table p (id text primary key); insert into p values ('alice@example'), ('alice@example')`,
    ),
    { code: '23505' },
  );
  const log = await readFile(join(dataDir, 'postgres.log'), 'utf8');
  assert.match(log, /duplicate key value/);
  assert.doesNotMatch(log, /alice|insert into/);
  assert.ok(!log.includes(new URL(postgres.url).password));
});

test('a port opens it on 127.0.0.1 as well', async (t) => {
  const port = 20_000 + (process.pid % 20_000);
  const postgres = await startPostgres({ dataDir: await usedFolder(t), port });
  t.after(() => postgres.stop());
  const { password } = new URL(postgres.url);
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'behalf', database: 'behalf', password });
  await client.connect();
  assert.deepEqual((await client.query('show listen_addresses')).rows, [{ listen_addresses: '127.0.0.1' }]);
  await client.end();
  assert.deepEqual(await ask(postgres.url, 'select 1 as one'), [{ one: 1 }]);
});

test('a path too long for a socket is no obstacle', async (t) => {
  const dataDir = join(await closedFolder(t), 'a'.repeat(70), 'b'.repeat(70));
  const { postgres } = await embedded(t, dataDir);
  assert.deepEqual(await ask(postgres.url, 'select 1 as one'), [{ one: 1 }]);
  const socketFolder = new URL(postgres.url).searchParams.get('host') ?? '';
  assert.equal(existsSync(socketFolder), true);
  await postgres.stop();
  assert.equal(existsSync(socketFolder), false);
});

test('a command beside the server finds it while it runs, and nothing afterwards', async (t) => {
  const { postgres, dataDir } = await embedded(t);
  assert.equal(await findPostgres(dataDir), postgres.url);
  await postgres.stop();
  assert.equal(await findPostgres(dataDir), undefined);
  assert.equal(await findPostgres(join(dataDir, 'nothing')), undefined);
});

test('what stands in the way of a start is named, with what to do, and nothing is touched', async (t) => {
  const dataDir = await closedFolder(t);
  const file = join(dataDir, 'file');
  await writeFile(file, '');
  await refuses(file, 'configuration', /file cannot be used: .*BEHALF_DATA_DIR/);

  const made = await usedFolder(t);
  const password = join(made, 'postgres.password');
  const kept = await readFile(password);
  await writeFile(password, 'of another folder\n');
  await refuses(made, 'configuration', /does not open the PostgreSQL beside it; restore the file/);
  await rm(password);
  await refuses(made, 'configuration', /postgres\.password is missing .* restore the file/);
  await writeFile(password, kept);
  const version = join(made, 'postgres', 'PG_VERSION');
  await writeFile(version, '17\n');
  await refuses(made, 'unsupported', /made by PostgreSQL 17, this program brings 18; .*DATABASE_URL/);
  await writeFile(version, '18\n');
  await (await embedded(t, made)).postgres.stop();
});

test('a setting that PostgreSQL refuses is told in its own words', async (t) => {
  const dataDir = await usedFolder(t);
  await writeFile(join(dataDir, 'postgres', 'postgresql.auto.conf'), `no_such_setting = 'x'\n`);
  await refuses(dataDir, 'unavailable', /did not start: .*no_such_setting/);
});

test('an initdb that was killed leaves nothing that a start trips over', async (t) => {
  const dataDir = await closedFolder(t);
  await mkdir(join(dataDir, 'postgres.new-abc'));
  await writeFile(join(dataDir, 'postgres.new-abc', 'PG_VERSION'), '18\n');
  const { postgres } = await embedded(t, dataDir);
  assert.deepEqual(await ask(postgres.url, 'select 1 as one'), [{ one: 1 }]);
});

async function refuses(dataDir: string, code: string, message: RegExp): Promise<void> {
  const error = await startPostgres({ dataDir }).then(
    () => assert.fail('it started'),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof DatabaseError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
}
