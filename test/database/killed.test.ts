import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDatabase, DatabaseError, isRetryable, startPostgres } from '#database';
import { ask, closedFolder, embedded, end, postmasterPid, serverProcess, usedFolder } from './embedded.ts';

test('a second server on the folder is refused, naming the folder and the process that holds it', async (t) => {
  const { dataDir, postgres } = await embedded(t);
  const error = await startPostgres({ dataDir }).catch((caught: unknown) => caught);
  assert.ok(error instanceof DatabaseError && error.code === 'in_use', String(error));
  assert.ok(error.message.includes(dataDir) && error.message.includes(`process ${process.pid};`), error.message);
  assert.match(error.message, /stop that one, or choose another folder with BEHALF_DATA_DIR/);
  assert.deepEqual(await ask(postgres.url, 'select 1 as one'), [{ one: 1 }]);
});

test('of servers that start on a fresh folder at once exactly one gets it', async (t) => {
  const dataDir = await closedFolder(t);
  const started = await Promise.allSettled([serverProcess(t, dataDir), serverProcess(t, dataDir)]);
  const won = started.filter((each) => each.status === 'fulfilled');
  const lost = started.filter((each) => each.status === 'rejected');
  assert.deepEqual([won.length, lost.length], [1, 1], lost.map((each) => String(each.reason)).join('\n'));
  assert.match(String(lost[0]?.reason), /is in use by/);
  assert.deepEqual(await ask(won[0]?.value.url ?? '', 'select 1 as one'), [{ one: 1 }]);
});

test('PostgreSQL stops when its server is killed, and what was committed is there afterwards', async (t) => {
  const dataDir = await usedFolder(t);
  const { url, child } = await serverProcess(t, dataDir);
  await ask(url, `create table kept as select 'here' as it`);
  const pid = postmasterPid(dataDir);

  await end(child, 'SIGKILL');

  await until(() => !existsSync(`/proc/${pid}`) && !existsSync(join(dataDir, 'postgres', 'postmaster.pid')));

  const { postgres } = await embedded(t, dataDir);

  assert.deepEqual(await ask(postgres.url, 'select it from kept'), [{ it: 'here' }]);
});

test('a PostgreSQL that outlived its killed server is stopped by the next one', async (t) => {
  if (process.platform !== 'linux') return t.skip('finds the watcher through /proc');
  const dataDir = await usedFolder(t);
  const { url, child } = await serverProcess(t, dataDir);
  await ask(url, `create table kept as select 'here' as it`);
  const pid = postmasterPid(dataDir);
  process.kill(watcherOf(pid), 'SIGKILL');
  await end(child, 'SIGKILL');
  assert.deepEqual(await ask(url, 'select it from kept'), [{ it: 'here' }], 'PostgreSQL lives on');
  const { postgres, told } = await embedded(t, dataDir);
  assert.match(told.join('\n'), new RegExp(`stopping a PostgreSQL \\(process ${pid}\\) whose server is gone`));
  assert.notEqual(postmasterPid(dataDir), pid);
  assert.deepEqual(await ask(postgres.url, 'select it from kept'), [{ it: 'here' }]);
});

test('a PostgreSQL that is killed is started again under the same address, with all that was committed', async (t) => {
  const { dataDir, postgres, told } = await embedded(t);
  const database = connectDatabase({ url: postgres.url });
  t.after(() => database.close());
  const owner = database.pool('owner');
  await owner.query('create table kept (n int)');
  for (let n = 1; n <= 2; n += 1) {
    await owner.query('insert into kept values ($1::int)', [n]);
    const before = postmasterPid(dataDir);
    process.kill(before, 'SIGKILL');
    await until(() => told.filter((says) => says === 'PostgreSQL runs again').length === n);
    assert.notEqual(postmasterPid(dataDir), before);
    assert.deepEqual(await retried(() => owner.query('select count(*)::int as n from kept')), [{ n }]);
  }
});

test('while PostgreSQL cannot be started again, it is told why, callers get retryable errors, and stop works', async (t) => {
  const { dataDir, postgres, told } = await embedded(t);
  await writeFile(join(dataDir, 'postgres', 'postgresql.auto.conf'), `no_such_setting = 'x'\n`);
  process.kill(postmasterPid(dataDir), 'SIGKILL');
  await until(() => told.some((says) => /did not start: .*no_such_setting/.test(says)));
  const error = await ask(postgres.url, 'select 1').catch((caught: unknown) => caught);
  assert.ok(isRetryable(error), String(error));
  await postgres.stop();
});

test('a session that is killed takes the others with it, and PostgreSQL recovers by itself', async (t) => {
  const { dataDir, postgres, told } = await embedded(t);
  const database = connectDatabase({ url: postgres.url });
  t.after(() => database.close());
  const owner = database.pool('owner');
  const { rows } = await owner.query<{ pid: number }>('select pg_backend_pid() as pid');
  const before = postmasterPid(dataDir);
  process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
  await until(() => told.includes('PostgreSQL runs again'));
  assert.equal(postmasterPid(dataDir), before);
  assert.deepEqual(await retried(() => owner.query('select 1 as one')), [{ one: 1 }]);
  await assert.rejects(startPostgres({ dataDir }), { code: 'in_use' }, 'the folder is held again');
});

test('a lock file of a machine that went down is cleared also when its number went to another process', async (t) => {
  const dataDir = await usedFolder(t);
  const cluster = join(dataDir, 'postgres');
  const { uid, gid } = statSync(cluster);
  const other = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid, gid } : {});
  t.after(() => end(other, 'SIGKILL'));
  const file = join(cluster, 'postmaster.pid');
  await writeFile(file, `${other.pid}\n${cluster}\n1700000000\n5432\n.\n\n  1 1\nready\n`, { mode: 0o600 });
  await writeFile(join(cluster, '.s.PGSQL.5432.lock'), `${other.pid}\n${cluster}\n1700000000\n5432\n.\n`, {
    mode: 0o600,
  });
  if (process.getuid?.() === 0)
    for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) chownSync(join(cluster, name), uid, gid);
  const again = await embedded(t, dataDir);
  assert.deepEqual(await ask(again.postgres.url, 'select 1 as one'), [{ one: 1 }]);
  assert.equal(other.exitCode ?? other.signalCode, null, 'the other process was left alone');
});

test('a user without privileges runs it as itself, and root goes on as that user', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('every other test here already runs without privileges');
  const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' })));
  if (uid === undefined || gid === undefined) return t.skip('this system has no user nobody');
  try {
    execFileSync(process.execPath, ['--version'], { uid, gid, cwd: '/', stdio: 'ignore' });
  } catch {
    return t.skip('another user cannot run node from here: the checkout lies below a closed folder');
  }
  const dataDir = await closedFolder(t);
  await chown(dataDir, uid, gid);
  const { url, stop } = await serverProcess(t, dataDir, { uid, gid });
  await ask(url, `create table kept as select 'here' as it`);
  await stop();
  assert.equal(statSync(join(dataDir, 'postgres')).uid, uid);
  const { postgres } = await embedded(t, dataDir);
  assert.deepEqual(await ask(postgres.url, 'select it from kept'), [{ it: 'here' }]);
  await postgres.stop();
  const back = await serverProcess(t, dataDir, { uid, gid });
  assert.deepEqual(await ask(back.url, 'select it from kept'), [{ it: 'here' }]);
  await back.stop();
});

/** The watcher's arguments end with the number of the PostgreSQL it watches. */
function watcherOf(pid: number): number {
  const found = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').endsWith(`\0behalf-watch\0${pid}\0`);
    } catch {
      return false; // ended meanwhile
    }
  });
  assert.ok(found !== undefined, 'there is no watcher');
  return Number(found);
}

async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; !holds(); attempt += 1) {
    assert.ok(attempt < 400, 'it did not happen in 20 seconds');
    await sleep(50);
  }
}

/** As every user of a pool does: again, after an error that passes. */
async function retried(run: () => Promise<{ rows: unknown[] }>): Promise<unknown[]> {
  for (;;) {
    try {
      return (await run()).rows;
    } catch (error) {
      if (!isRetryable(error)) throw error;
      await sleep(50);
    }
  }
}
