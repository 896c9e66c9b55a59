import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EMPTY_ROOT, formatCheckpoint, openCheckpoint } from '@behalf/verify';
import { appendLeaves, EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { openKeyRing } from '../../src/ledger/key-ring.ts';
import { Signer } from '../../src/ledger/signer.ts';
import { SignerClient } from '../../src/ledger/signer-client.ts';
import { SignerState } from '../../src/ledger/signer-state.ts';
import { temporaryFolder, testLog } from './harness.ts';
import { hops } from './observations.ts';

const ORIGIN = 'log.example/one';
const noProcFs = process.platform === 'linux' ? false : 'finds processes in /proc, which is not here';

/** A tree of so many leaves. */
const headOf = (size: number) => ({
  size: BigInt(size),
  root: size === 0 ? EMPTY_ROOT : appendLeaves(EMPTY_EDGE, leaves(size)).root,
});
const leaves = (size: number) => Array.from({ length: size }, (_, i) => hashLeaf(Buffer.from(`leaf ${i}`)));

async function client(t: TestContext, more: { readonly timeoutMs?: number } = {}) {
  const folder = await temporaryFolder(t);
  const alarms: string[] = [];
  const started = await SignerClient.start({
    folder,
    source: { kind: 'file' },
    onAlarm: (error) => alarms.push(String(error)),
    ...more,
  });
  t.after(() => started.signer.close());
  return { folder, alarms, ...started, of: started.signer.of(ORIGIN) };
}

/** The processes that a process started and that run the signer. */
function signersOf(pid: number | undefined): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const [stat, line] = [read(`/proc/${name}/stat`), read(`/proc/${name}/cmdline`)];
      return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]) === pid && line.includes('signer-process');
    })
    .map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended between the listing and this
  }
}

const isAlive = (pid: number): boolean => read(`/proc/${pid}/stat`) !== '' && !/\) Z /.test(read(`/proc/${pid}/stat`));

test('what the server runs never imports what reads a private key', () => {
  const folder = join(import.meta.dirname, '../../src/ledger');
  const seen = new Set<string>();
  const waiting = ['ledger.ts', 'index.ts', 'read.ts'];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const text = readFileSync(join(folder, name), 'utf8');
    for (const [, imported = ''] of text.matchAll(/^(?:import|export|\}) (?!type\b)[^;]*?from '\.\/([^']+)';/gm)) {
      waiting.push(imported);
    }
  }
  assert.ok(seen.has('signer-client.ts') && seen.has('publisher.ts'), [...seen].join());
  for (const name of ['signing-key.ts', 'key-ring.ts', 'signer.ts', 'signer-process.ts'])
    assert.ok(!seen.has(name), name);
});

test('a signer that is killed is started again: one alarm, and its memory goes on', async (t) => {
  const { signer, alarms, of } = await client(t);
  const first = await of.sign(headOf(0), [], await of.last());
  process.kill((await signer.processId()) ?? assert.fail(), 'SIGKILL');
  for (let round = 0; alarms.length === 0 && round < 200; round += 1) await sleep(10);
  assert.equal((await of.last())?.note, first?.note);
  assert.equal(alarms.length, 1);
  assert.match(alarms[0] ?? '', /ended by itself; observations are taken in; it is started again/);
});

test('a signer that hangs is ended after its time, and asked again', async (t) => {
  const { signer, alarms, of } = await client(t, { timeoutMs: 1500 });
  const pid = (await signer.processId()) ?? assert.fail();
  process.kill(pid, 'SIGSTOP');
  assert.equal(await of.last(), undefined);
  assert.notEqual(await signer.processId(), pid);
  assert.equal(alarms.length, 1);
});

test('Ctrl-C in a terminal does not take the signer away before the last checkpoint', async (t) => {
  const { signer, alarms, of } = await client(t);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill((await signer.processId()) ?? 0, signal);
  assert.equal((await of.sign(headOf(0), [], undefined))?.checkpoint.size, 0n);
  assert.deepEqual(alarms, []);
});

test('the signer ends when its server is killed', { skip: noProcFs }, async (t) => {
  const log = await testLog(t);
  const script = join(import.meta.dirname, 'appending-process.ts');
  const server = spawn(process.execPath, ['--conditions=behalf-source', script, log.database.url, log.keyFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  const [signer = assert.fail('no signer')] = signersOf(server.pid);
  server.kill('SIGKILL');
  await once(server, 'close');
  for (let round = 0; isAlive(signer); round += 1) {
    assert.ok(round < 500, 'the signer lives on');
    await sleep(10);
  }
});

test('signers killed at random under load sign one history, and take no observation with them', {
  skip: noProcFs,
}, async (t) => {
  const log = await testLog(t);
  const alarms: string[] = [];
  const ledger = await log.open({ publishIntervalMs: 1, onAlarm: (error) => alarms.push(String(error)) });
  let appended = 0;
  for (let round = 0; round < 12; round += 1) {
    await ledger.append(hops(5));
    appended += 5;
    await sleep(Math.random() * 60);
    for (const pid of signersOf(process.pid)) process.kill(pid, 'SIGKILL');
  }
  await ledger.publish();
  await log.sound(appended, ledger.verifierKey);
  assert.equal((await log.reader.checkpoint())?.size, BigInt(appended));
  assert.ok(alarms.length > 0);
  assert.deepEqual(
    alarms.filter((says) => !says.includes('the signer process')),
    [],
  );
});

test('of signers that follow the same state at once at most one signs, so no two trees are signed apart', async (t) => {
  const counts: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const folder = await temporaryFolder(t);
    const keys = () => openKeyRing({ kind: 'file' }, folder);
    const signers = Array.from({ length: 6 }, () => new Signer({ folder, origin: ORIGIN, keys }));
    // From nothing any tree grows: only the order of states keeps them apart.
    const signed = await Promise.all(signers.map((signer, i) => signer.sign(headOf(i + 1), [], undefined)));
    const given = signed.filter((each) => each !== undefined);
    assert.ok(given.length <= 1, given.map(({ note }) => note).join('\n'));
    counts.push(given.length);
    if (given[0] !== undefined) assert.equal((await signers[0]?.last())?.note, given[0].note);
  }
  assert.ok(counts.includes(1), 'nobody ever signed');
});

test('a checkpoint that was about to be signed binds the next signer as if it had been', async (t) => {
  const folder = await temporaryFolder(t);
  const signer = new Signer({ folder, origin: ORIGIN, keys: () => openKeyRing({ kind: 'file' }, folder) });
  await new SignerState(folder).follow(undefined, formatCheckpoint({ origin: ORIGIN, ...headOf(5) }));
  const last = (await signer.last()) ?? assert.fail();
  assert.deepEqual([last.checkpoint.size, last.note], [5n, undefined]);
  await assert.rejects(signer.sign(headOf(4), [], last), { code: 'rollback' });
  await assert.rejects(signer.sign({ ...headOf(5), root: headOf(6).root }, [], last), { code: 'rewritten' });
  assert.equal((await signer.sign(headOf(5), [], last))?.checkpoint.size, 5n);
});

test('the state that an earlier version kept in one file is followed, and goes once it is', async (t) => {
  const folder = await temporaryFolder(t);
  const keys = () => openKeyRing({ kind: 'file' }, folder);
  const signer = new Signer({ folder, origin: ORIGIN, keys });
  const note = (await signer.sign(headOf(3), [], undefined))?.note ?? '';
  await rm(join(folder, 'signer'), { recursive: true });
  await writeFile(join(folder, 'signer.state'), note);
  const last = (await signer.last()) ?? assert.fail();
  assert.deepEqual([last.generation, last.note], [0, note]);
  await assert.rejects(signer.sign(headOf(2), [], last), { code: 'rollback' });
  const again = await signer.sign(headOf(3), [], last);
  assert.equal(again?.note, note);
  assert.ok(!readdirSync(folder).includes('signer.state'));
});

test('a key that others may read keeps checkpoints back with the command to run, and no observation', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const { chmod } = await import('node:fs/promises');
  await chmod(join(log.keyFolder, 'signer.key'), 0o644);
  await ledger.append(hops(2));
  await assert.rejects(ledger.publish(), { code: 'unsigned', message: /mode is 644.*chmod 600/ });
  await ledger.append(hops(2));
  await chmod(join(log.keyFolder, 'signer.key'), 0o600);
  await ledger.publish();
  await log.sound(4, ledger.verifierKey);
});

test('a server that only collects signs nothing at its start, in between or at its end', async (t) => {
  const log = await testLog(t);
  const first = await log.open({ signs: false }); // opens the log, for which the key is made
  await first.append(hops(3));
  await assert.rejects(first.publish(), TypeError);
  await first.close();
  assert.equal(await log.reader.checkpoint(), undefined);
  assert.equal(await new SignerState(log.keyFolder).isThere(), false);
  const signing = await log.open();
  await signing.close();
  assert.equal((await log.reader.checkpoint())?.size, 3n);
  await rm(join(log.keyFolder, 'signer.key')); // it needs no key that it does not use
  const second = await log.open({ signs: false });
  assert.equal(second.verifierKey, signing.verifierKey);
  await second.append(hops(2));
  await second.close();
  const note = (await log.reader.checkpoint())?.note ?? '';
  assert.equal((await openCheckpoint(note, signing.verifierKey)).size, 3n);
});

test('a server that only collects refuses a database that went back behind what was signed', async (t) => {
  const log = await testLog(t);
  const signing = await log.open();
  await signing.append(hops(3));
  await signing.close();
  const other = formatCheckpoint({ origin: signing.origin, ...headOf(9) });
  await new SignerState(log.keyFolder).follow(await new SignerState(log.keyFolder).last(signing.origin), other);
  for (const signs of [false, true]) {
    await assert.rejects(log.open({ signs }), {
      code: 'rollback',
      message: /signed 9, database 3; .*begin another log/,
    });
  }
});
