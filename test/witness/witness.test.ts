import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatAddCheckpoint, openCosignature } from '@behalf/verify';
import fastify from 'fastify';
import { Witness, WitnessKey, type WitnessOptions, witnessApi } from '#witness';
import {
  checkpointText,
  numberedEntries,
  type ReferenceLog,
  referenceLog,
  signNote,
  subproofOf,
} from '../verify/reference-log.ts';

const log = (size: number) => referenceLog(numberedEntries(size));
const edited = (size: number) =>
  referenceLog(numberedEntries(size).map((entry, i) => (i === 3 ? Buffer.from('x') : entry)));

const request = (from: number, to: ReferenceLog, proofOf: ReferenceLog = to): string =>
  formatAddCheckpoint({
    oldSize: BigInt(from),
    proof: from === 0 || from === to.size ? [] : subproofOf(proofOf.leaves, from).map((hash) => new Uint8Array(hash)),
    checkpoint: to.note,
  });

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-witness-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function witnessIn(folder: string, more: Partial<WitnessOptions> = {}) {
  const key = await WitnessKey.open(folder, 'witness.example');
  const witness = new Witness({ key, logs: [log(0).verifierKey], folder, ...more });
  const app = fastify();
  await app.register(witnessApi, { witness });
  const post = async (payload: string | Buffer) => {
    const { statusCode, body, headers } = await app.inject({ method: 'POST', url: '/add-checkpoint', payload });
    return { status: statusCode, body, type: headers['content-type'] };
  };
  return { witness, app, post };
}

test('an honest log is cosigned from its first checkpoint on, and each cosignature opens', async (t) => {
  const { witness, post } = await witnessIn(await folderOf(t), { now: () => 1000n });
  for (const [from, to] of [
    [0, 600],
    [600, 600],
    [600, 1000],
  ] as const) {
    const { status, body } = await post(request(from, log(to)));
    assert.equal(status, 200);
    const { checkpoint, time } = await openCosignature(`${log(to).note}${body}`, witness.verifierKey);
    assert.deepEqual([checkpoint.size, time], [BigInt(to), 1000n]);
  }
});

test('each refusal has the status the specification gives it, and changes nothing', async (t) => {
  const { post, app } = await witnessIn(await folderOf(t));
  assert.equal((await post(request(0, log(600)))).status, 200);
  const cases: [what: string, body: string | Buffer, status: number][] = [
    ['same size, other root', request(600, edited(600)), 422],
    ['an edited history with a proper proof of its own', request(600, edited(1000)), 422],
    ['a proof of another tree', request(600, log(1000), log(1001)), 422],
    ['no proof', formatAddCheckpoint({ oldSize: 600n, proof: [], checkpoint: log(1000).note }), 422],
    ['a shrunk tree from the old size', request(600, log(600)).replace(log(600).note, log(550).note), 400],
    ['a shrunk tree from its own size', request(550, log(550)), 409],
    ['an older size', request(300, log(1000)), 409],
    ['a first contact again', request(0, log(1000)), 409],
    ['an unknown log', request(0, referenceLog(numberedEntries(3), 'other.example')), 404],
    ['a bad signature', request(600, log(1000)).replace('\n1000\n', '\n1001\n'), 403],
    ['garbage', 'old 0\n', 400],
    ['nothing', '', 400],
    ['bytes that are no text', Buffer.of(0xff, 0xfe), 400],
    ['a size with a zero before', request(600, log(1000)).replace('old 600', 'old 0600'), 400],
    ['64 hashes', `old 600\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n${log(1000).note}`, 400],
    ['more than a request may hold', 'x'.repeat(200_000), 413],
  ];
  for (const [what, body, status] of cases) {
    const answer = await post(body);
    assert.equal(answer.status, status, `${what}: ${answer.body}`);
    if (status === 409) assert.deepEqual([answer.body, answer.type], ['600\n', 'text/x.tlog.size'], what);
  }
  assert.equal((await post(request(600, log(1000)))).status, 200);
  assert.equal((await app.inject('/nothing')).statusCode, 404);
});

test('a first checkpoint from size 0 takes an empty proof only', async (t) => {
  const { post } = await witnessIn(await folderOf(t));
  const proof = [new Uint8Array(32)];
  assert.equal((await post(formatAddCheckpoint({ oldSize: 0n, proof, checkpoint: log(5).note }))).status, 422);
  assert.equal((await post(request(0, log(0)))).status, 200);
  assert.equal((await post(request(0, log(5)))).status, 200);
});

test('what was cosigned outlives the process: a restarted witness refuses the rollback', async (t) => {
  const folder = await folderOf(t);
  const first = await witnessIn(folder);
  await first.post(request(0, log(600)));
  const second = await witnessIn(folder);
  assert.equal(second.witness.verifierKey, first.witness.verifierKey);
  assert.equal((await second.post(request(0, edited(700)))).status, 409);
  assert.equal((await second.post(request(600, edited(700)))).status, 422);
});

test('of two forks offered at once, to one process or two, exactly one is cosigned', async (t) => {
  const folder = await folderOf(t);
  const [one, two] = [await witnessIn(folder), await witnessIn(folder)];
  await one.post(request(0, log(600)));
  const forks = Array.from({ length: 12 }, (_, i) => {
    const fork = referenceLog([...numberedEntries(600), Buffer.from(`fork ${i}`)]);
    return (i % 2 === 0 ? one : two).post(request(600, fork));
  });
  const answers = (await Promise.all(forks)).map(({ status }) => status).toSorted();
  assert.deepEqual(answers, [200, ...Array.from({ length: 11 }, () => 409)]);
});

test('a clock that went back gives no older time', async (t) => {
  let now = 5000n;
  const { witness, post } = await witnessIn(await folderOf(t), { now: () => now });
  await post(request(0, log(5)));
  now = 10n;
  const { body } = await post(request(5, log(6)));
  assert.equal((await openCosignature(`${log(6).note}${body}`, witness.verifierKey)).time, 5000n);
});

test('a state that this witness did not write stops it from cosigning', async (t) => {
  const folder = await folderOf(t);
  const { post } = await witnessIn(folder);
  await post(request(0, log(600)));
  const own = join(folder, createHash('sha256').update(log(0).origin).digest('hex'));
  const [name = ''] = await readdir(own);
  await writeFile(join(own, name), log(3).note);
  assert.equal((await post(request(3, log(700)))).status, 500);
});

test('monitors read the last cosigned checkpoint, and older files are gone', async (t) => {
  const folder = await folderOf(t);
  const { app, post, witness } = await witnessIn(folder);
  const id = createHash('sha256').update(log(0).origin).digest('hex');
  assert.equal((await app.inject(`/${id}/checkpoint`)).statusCode, 404);
  for (let size = 1; size <= 6; size += 1) await post(request(size - 1, log(size)));
  const { statusCode, body } = await app.inject(`/${id}/checkpoint`);
  assert.equal(statusCode, 200);
  assert.equal((await openCosignature(body, witness.verifierKey)).checkpoint.size, 6n);
  assert.equal((await readdir(join(folder, id))).length, 2);
  assert.equal((await app.inject(`/${'0'.repeat(64)}/checkpoint`)).statusCode, 404);
});

test('the key file is closed to others, and a key that was open to them is refused', async (t) => {
  const folder = await folderOf(t);
  const { verifierKey } = await WitnessKey.open(folder, 'witness.example');
  assert.match(await readFile(join(folder, 'witness.key'), 'utf8'), /^[0-9a-f]{64}\n$/);
  assert.equal((await WitnessKey.open(folder, 'witness.example')).verifierKey, verifierKey);
  await assert.rejects(WitnessKey.open(folder, 'a name'), { code: 'malformed' });
});

test('a checkpoint signed under another origin than its key’s is not this log’s', async (t) => {
  const { post } = await witnessIn(await folderOf(t));
  const { root, origin } = log(5);
  const posing = signNote('other.example', checkpointText(origin, 5, root));
  assert.equal((await post(formatAddCheckpoint({ oldSize: 0n, proof: [], checkpoint: posing }))).status, 403);
});
