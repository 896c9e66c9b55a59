import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type BehalfOptions, startBehalf } from '@behalf/sdk';
import { guardedService } from './guarded-service.ts';
import { OtlpReceiver, otlpReceiver } from './otlp-receiver.ts';

const DEAD = 'http://127.0.0.1:1';

async function spoolFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-spool-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function sender(folder: string, collectorUrl: string, spool: Partial<BehalfOptions['spool']> = {}) {
  const behalf = startBehalf({ service: 'payments', collectorUrl, spool: { folder, ...spool } });
  const report = (count: number) => {
    for (let index = 0; index < count; index += 1) behalf.recordExchange({ tokenIn: `token-${index}` });
  };
  return { behalf, report, stop: () => behalf.shutdown({ timeoutMs: 1 }) };
}

const sequencesOf = ({ observations }: OtlpReceiver) => observations.map(({ reporter }) => Number(reporter.sequence));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** The folder of the first sender. */
const senderFolder = (folder: string) => join(folder, 's-payments', '0');
const segmentsIn = async (folder: string) =>
  (await readdir(senderFolder(folder))).filter((name) => name.endsWith('.spool')).toSorted();

test('what a stopped sender left is delivered by the next: same instance, the numbers go on', async (t) => {
  const folder = await spoolFolder(t);
  const first = sender(folder, DEAD);
  first.report(3);
  assert.deepEqual(await first.stop(), { delivered: 0, lost: 0, pending: 3 });
  const receiver = await otlpReceiver(t);
  const second = sender(folder, receiver.url);
  t.after(second.stop);
  assert.equal((await second.behalf.flush()).delivered, 3);
  second.report(2);
  assert.deepEqual(await second.behalf.flush(), { delivered: 5, lost: 0, pending: 0 });
  assert.deepEqual(sequencesOf(receiver), [1, 2, 3, 4, 5]);
  assert.equal(new Set(receiver.observations.map(({ reporter }) => reporter.instance)).size, 1);
});

test('numbers go on after restarts also when everything was delivered', async (t) => {
  const folder = await spoolFolder(t);
  const receiver = await otlpReceiver(t);
  for (let run = 0; run < 4; run += 1) {
    const { report, behalf } = sender(folder, receiver.url);
    report(run === 2 ? 0 : 2);
    await behalf.shutdown();
  }
  assert.deepEqual(sequencesOf(receiver), upTo(6));
});

test('what waits behind a delivered part of a segment is delivered under the same name', async (t) => {
  const folder = await spoolFolder(t);
  const receiver = await otlpReceiver(t);
  const first = sender(folder, receiver.url);
  first.report(2);
  await first.behalf.flush();
  receiver.answer = () => ({ status: 503 });
  first.report(2);
  assert.equal((await first.stop()).pending, 2);
  receiver.answer = () => ({ status: 200 });
  await sender(folder, receiver.url).behalf.shutdown();
  assert.deepEqual([...new Set(sequencesOf(receiver))], upTo(4)); // the stopped one's last attempt may have come through
  assert.equal(
    new Set(receiver.observations.map(({ reporter }) => JSON.stringify([reporter.service, reporter.instance]))).size,
    1,
  );
});

test('a long outage needs segments, and delivered ones are deleted', async (t) => {
  const folder = await spoolFolder(t);
  const receiver = new OtlpReceiver();
  await receiver.start();
  await receiver.stop();
  const { behalf, report, stop } = sender(folder, receiver.url, { maxBytes: 4 * 1024 * 1024, fsync: 'never' });
  t.after(stop);
  report(7000);
  const before = await segmentsIn(folder);
  assert.ok(before.length > 2, `${before.length} segments`);
  await receiver.start();
  t.after(() => receiver.stop());
  assert.deepEqual(await behalf.flush({ timeoutMs: 60_000 }), { delivered: 7000, lost: 0, pending: 0 });
  assert.deepEqual(sequencesOf(receiver), upTo(7000));
  assert.deepEqual(await segmentsIn(folder), before.slice(-1), 'the newest stays: it says which numbers are used');
});

test('a spool is bounded: what has no room is counted, leaves a gap, and is told by the next observation', async (t) => {
  const folder = await spoolFolder(t);
  const receiver = new OtlpReceiver();
  await receiver.start();
  await receiver.stop();
  const { behalf, report, stop } = sender(folder, receiver.url, { maxBytes: 1024 * 1024 });
  t.after(stop);
  report(5000);
  const full = await behalf.flush({ timeoutMs: 1 });
  assert.ok(full.lost > 0);
  assert.equal(full.lost + full.pending, 5000);
  const sizes = await Promise.all((await segmentsIn(folder)).map((name) => stat(join(senderFolder(folder), name))));
  assert.ok(sizes.reduce((sum, { size }) => sum + size, 0) < 1.01 * 1024 * 1024);
  await receiver.start();
  t.after(() => receiver.stop());
  await behalf.flush();
  report(1);
  assert.deepEqual(await behalf.flush(), { delivered: full.pending + 1, lost: full.lost, pending: 0 });
  assert.deepEqual(sequencesOf(receiver), [...upTo(full.pending), 5001]);
  assert.deepEqual(receiver.observations.at(-1)?.anomalies, [
    { code: 'observations_lost', detail: `${full.lost} of this sender since its start` },
  ]);
});

test('numbers that lost observations used are not used again after a crash', async (t) => {
  const folder = await spoolFolder(t);
  const first = sender(folder, DEAD, { maxBytes: 1024 * 1024 });
  first.report(5000);
  const { pending } = await first.stop();
  const receiver = await otlpReceiver(t);
  const second = sender(folder, receiver.url);
  t.after(second.stop);
  await second.behalf.flush();
  second.report(1);
  await second.behalf.flush();
  const next = sequencesOf(receiver).at(-1) ?? 0;
  assert.ok(next > pending + 1, `${pending} were kept, the first number after the restart is ${next}`);
});

test('every way of cutting off or spoiling the newest segment leaves what stands before it, and the sender starts', async (t) => {
  const folder = await spoolFolder(t);
  const first = sender(folder, DEAD);
  first.report(2);
  await first.stop();
  const [name = ''] = await segmentsIn(folder);
  const file = join(senderFolder(folder), name);
  const whole = await readFile(file);
  const third = sender(await spoolFolder(t), DEAD);
  await third.stop();
  for (let size = 0; size < whole.length; size += 37) {
    await writeFile(file, whole);
    await truncate(file, size);
    const { behalf, report } = sender(folder, DEAD);
    const before = (await behalf.flush({ timeoutMs: 1 })).pending;
    report(1);
    const { pending, lost } = await behalf.shutdown({ timeoutMs: 1 });
    assert.ok(before <= 1, `${size} bytes: ${before} of 2 whole`);
    assert.deepEqual([pending, lost], [before + 1, 0]);
    for (const made of (await segmentsIn(folder)).slice(1)) await rm(join(senderFolder(folder), made));
  }
  await writeFile(file, whole);
  await appendFile(file, Buffer.alloc(100, 7));
  const receiver = await otlpReceiver(t);
  const last = sender(folder, receiver.url);
  last.report(1);
  await last.behalf.shutdown();
  assert.deepEqual(sequencesOf(receiver), [1, 2, 3]);
});

test('two senders at once have a folder each; what a dead one left is taken over by whoever starts', async (t) => {
  const folder = await spoolFolder(t);
  const [one, two] = [sender(folder, DEAD), sender(folder, DEAD)];
  one.report(1);
  two.report(2);
  assert.deepEqual((await readdir(join(folder, 's-payments'))).toSorted(), ['0', '1']);
  await Promise.all([one.stop(), two.stop()]);
  const receiver = await otlpReceiver(t);
  const { behalf } = sender(folder, receiver.url);
  assert.deepEqual(await behalf.shutdown(), { delivered: 3, lost: 0, pending: 0 });
  assert.equal(new Set(receiver.observations.map(({ reporter }) => reporter.instance)).size, 2);
});

test('with fsync each an answer leaves after its observation is on disk; the ending follows', async (t) => {
  const folder = await spoolFolder(t);
  const { app, behalf, issuer, receiver } = await guardedService(t, { options: { spool: { folder, fsync: 'each' } } });
  app.get('/', async () => 'served');
  const authorization = `Bearer ${await issuer.sign()}`;
  assert.equal((await app.inject({ url: '/', headers: { authorization } })).payload, 'served');
  assert.equal((await app.inject('/')).statusCode, 401);
  await behalf.flush();
  assert.deepEqual(
    receiver.observations.map((seen) => seen.kind === 'hop' && [seen.outcome, seen.decision?.outcome]),
    [
      [{ status: 'ok', code: '200' }, 'permit'],
      [{ status: 'error', code: '401' }, 'deny'],
    ],
  );
});

test('a full spool refuses requests only where the host chose so and enforces', async (t) => {
  for (const [whenFull, mode, status] of [
    ['refuse', 'enforce', 503],
    ['refuse', 'observe', 200],
    ['lose', 'enforce', 200],
  ] as const) {
    const folder = await spoolFolder(t);
    const { app, behalf, issuer } = await guardedService(t, {
      options: { collectorUrl: DEAD, spool: { folder, maxBytes: 1024 * 1024, whenFull } },
      guard: { mode },
    });
    app.get('/', async () => 'served');
    const headers = { authorization: `Bearer ${await issuer.sign()}` };
    assert.equal((await app.inject({ url: '/', headers })).statusCode, 200);
    for (let index = 0; index < 5000; index += 1) behalf.recordExchange({ tokenIn: 'x' });
    const answer = await app.inject({ url: '/', headers });
    assert.equal(answer.statusCode, status, `${whenFull} ${mode}`);
    if (status === 503) assert.equal(answer.json().code, 'recorder_full');
  }
});

test('a spool that cannot be written to loses and counts, and the host serves on', async (t) => {
  const folder = await spoolFolder(t);
  const { app, behalf, issuer } = await guardedService(t, { options: { collectorUrl: DEAD, spool: { folder } } });
  app.get('/', async () => 'served');
  await rm(senderFolder(folder), { recursive: true });
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  for (let index = 0; index < 3; index += 1) {
    assert.equal((await app.inject({ url: '/', headers })).payload, 'served');
  }
  assert.deepEqual(await behalf.flush({ timeoutMs: 1 }), { delivered: 0, lost: 3, pending: 0 });
});

test('wrong spool options are one clear error at start', async (t) => {
  const folder = await spoolFolder(t);
  const file = join(folder, 'file');
  await writeFile(file, '');
  const start = (spool: object) => () => startBehalf({ service: 's', spool: spool as { folder: string } });
  assert.throws(start({ folder: '' }), /spool.folder must name a folder/);
  assert.throws(start({ folder, maxBytes: 5 }), /spool.maxBytes must be at least 1048576/);
  assert.throws(start({ folder, fsync: 'sometimes' }), /spool.fsync must be each, interval or never/);
  assert.throws(start({ folder, whenFull: 'cry' }), /spool.whenFull must be lose or refuse/);
  assert.throws(start({ folder: file }), /startBehalf: spool.folder cannot be used: ENOTDIR/);
});
