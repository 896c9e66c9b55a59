import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkPolicy, type Policy, parsePolicy } from '@behalf/verify';
import { LedgerError, type Post, policyForOthers } from '#ledger';
import { temporaryFolder, testLog } from './harness.ts';
import { hops } from './observations.ts';
import { witnessServer } from './witness-server.ts';

type Served = Awaited<ReturnType<typeof witnessServer>>;

/** A log whose key is known before it is opened, and witnesses that know it. */
async function witnessed(t: TestContext, names: readonly string[]) {
  const log = await testLog(t);
  const first = await log.open();
  const { verifierKey } = first;
  await first.close();
  const servers = await Promise.all(names.map((name) => witnessServer(t, `${name}.example`, [verifierKey])));
  const policy = (quorum: number, among: readonly Served[] = servers): Policy => ({
    logs: [],
    witnesses: among.map(({ url, verifierKey: key }, i) => ({ name: names[i] as string, verifierKey: key, url })),
    groups: [{ name: 'g', threshold: quorum, members: names.slice(0, among.length) }],
    quorum: 'g',
  });
  const stored = async () => (await log.reader.checkpoint())?.note ?? '';
  const alarms: string[] = [];
  const onAlarm = (error: unknown) =>
    alarms.push(error instanceof LedgerError ? `${error.code}: ${error.message}` : String(error));
  return { log, verifierKey, servers, policy, stored, alarms, onAlarm };
}

const own = (policy: Policy, verifierKey: string): Policy => parsePolicy(policyForOthers(verifierKey, policy));

test('every published checkpoint carries the cosignatures of its witnesses, and strangers hold it against the policy', async (t) => {
  const { log, verifierKey, policy, stored, alarms, onAlarm } = await witnessed(t, ['a', 'b', 'c']);
  const ledger = await log.open({ witnesses: { policy: policy(2), required: true }, onAlarm });
  for (const count of [5, 300, 1]) {
    await ledger.append(hops(count));
    await ledger.publish();
    const { cosigned, checkpoint } = await checkPolicy(await stored(), own(policy(2), verifierKey));
    assert.equal(checkpoint.size, (await log.reader.log()).size);
    assert.ok(cosigned.length >= 2);
  }
  assert.deepEqual(alarms, []);
  await log.sound(306, verifierKey);
});

test('a server that restarts asks from what its witness knows', async (t) => {
  const { log, policy, verifierKey, stored, alarms, onAlarm } = await witnessed(t, ['a']);
  for (let start = 0; start < 3; start += 1) {
    const ledger = await log.open({ witnesses: { policy: policy(1), required: true }, onAlarm });
    await ledger.append(hops(7));
    await ledger.close();
    await checkPolicy(await stored(), own(policy(1), verifierKey));
  }
  assert.deepEqual(alarms, []);
});

test('where the quorum is required nothing is published without it, and observations are taken in all the same', async (t) => {
  const { log, policy, servers, stored, verifierKey, alarms, onAlarm } = await witnessed(t, ['a', 'b']);
  await servers[1]?.close();
  const before = await stored();
  const ledger = await log.open({ witnesses: { policy: policy(2), required: true, timeoutMs: 1000 }, onAlarm });
  assert.equal((await ledger.append(hops(3)))[2]?.kind, 'sequenced');
  await assert.rejects(ledger.publish(), {
    code: 'unwitnessed',
    retryable: true,
    message: /1 of 2 cosignatures.*not published/,
  });
  assert.equal(await stored(), before);
  assert.deepEqual(alarms.length, 2, alarms.join('\n'));
  assert.match(alarms.join('\n'), /witness b did not cosign size 0: no answer/);
  await log.sound(3, verifierKey);
});

test('where the quorum is not required the checkpoint is published with an alarm, once until it is over', async (t) => {
  const { log, policy, servers, stored, verifierKey, alarms, onAlarm } = await witnessed(t, ['a', 'b']);
  let isDown = true;
  const post: Post = (url, init) =>
    isDown && url.startsWith(servers[1]?.url ?? '') ? Promise.reject(new Error('down')) : fetch(url, init);
  const ledger = await log.open({ witnesses: { policy: policy(2), required: false, post }, onAlarm });
  for (let i = 0; i < 3; i += 1) {
    await ledger.append(hops(3));
    await ledger.publish();
  }
  assert.equal(alarms.length, 2, alarms.join('\n'));
  assert.match(alarms[1] ?? '', /1 of 2 cosignatures.*published all the same/);
  await assert.rejects(checkPolicy(await stored(), own(policy(2), verifierKey)), { code: 'quorum' });
  isDown = false;
  await ledger.append(hops(3));
  await ledger.publish();
  await checkPolicy(await stored(), own(policy(2), verifierKey));
  assert.equal(alarms.length, 2);
});

test('a checkpoint published short of the quorum gains the missing cosignatures without growth, and is not signed again', async (t) => {
  const { log, policy, servers, stored, verifierKey, alarms, onAlarm } = await witnessed(t, ['a', 'b']);
  let isDown = true;
  const post: Post = (url, init) =>
    isDown && url.startsWith(servers[1]?.url ?? '') ? Promise.reject(new Error('down')) : fetch(url, init);
  const ledger = await log.open({ witnesses: { policy: policy(2), required: false, post, againMs: 0 }, onAlarm });
  await ledger.append(hops(3));
  await ledger.publish();
  const short = await stored();
  await assert.rejects(checkPolicy(short, own(policy(2), verifierKey)), { code: 'quorum' });
  await ledger.publish();
  assert.equal(await stored(), short, 'while nothing came nothing changes');
  isDown = false;
  await ledger.publish();
  const full = await stored();
  assert.ok(full.startsWith(short) && full.length > short.length);
  const { checkpoint, cosigned } = await checkPolicy(full, own(policy(2), verifierKey));
  assert.deepEqual([checkpoint.size, cosigned.length], [3n, 2]);
  await ledger.publish();
  assert.equal(await stored(), full, 'once the quorum is met nobody is asked again');
  assert.equal(alarms.length, 2, alarms.join('\n'));
  await log.sound(3, verifierKey);
});

test('where the quorum is required a checkpoint stays private until it is met, and is published then without growth', async (t) => {
  const { log, policy, servers, stored, verifierKey, onAlarm } = await witnessed(t, ['a', 'b']);
  let isDown = true;
  const post: Post = (url, init) =>
    isDown && url.startsWith(servers[1]?.url ?? '') ? Promise.reject(new Error('down')) : fetch(url, init);
  const before = await stored();
  const ledger = await log.open({
    witnesses: { policy: policy(2), required: true, post },
    publishIntervalMs: 20,
    onAlarm,
  });
  await ledger.append(hops(3));
  await assert.rejects(ledger.publish(), { code: 'unwitnessed' });
  assert.equal(await stored(), before);
  isDown = false;
  for (let round = 0; (await stored()) === before; round += 1) {
    assert.ok(round < 500, 'it was never published');
    await sleep(10);
  }
  const { checkpoint } = await checkPolicy(await stored(), own(policy(2), verifierKey));
  assert.equal(checkpoint.size, 3n);
});

test('a stored checkpoint only gains signatures: neither writer nor owner changes it otherwise', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(1));
  await ledger.publish();
  for (const set of [
    `note = 'x'`,
    'note = note',
    `note = 'x' || note`,
    `note = left(note, -1)`,
    `note = note || 'x', size = 2`,
    `note = note || 'x', root = sha256('x')`,
    `note = note || 'x', published_at = now()`,
  ]) {
    for (const role of ['owner', 'writer'] as const) {
      const update = log.database.pool(role).query(`update behalf.checkpoint set ${set} where log_id = 1 and size = 1`);
      await assert.rejects(update, { code: '42501' }, `${role}: ${set}`);
    }
  }
});

/** A witness of the test's own making: status, content type and body as given. */
const answering =
  (status: number, type: string, body: string | ReadableStream): Post =>
  async () =>
    new Response(body, { status, headers: { 'content-type': type } });
const endless = () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)) });

for (const [what, post, says] of [
  ['409 without a size', answering(409, 'text/plain', '5\n'), /refused|it answered 409: "5/],
  ['409 with a size that is none', answering(409, 'text/x.tlog.size', '05\n'), /409 without the size/],
  ['409 with another size each time', sizes(), /names another size each time/],
  [
    'a larger size than the log has',
    answering(409, 'text/x.tlog.size', '999\n'),
    /cosigned a larger tree, of size 999;.*set back/,
  ],
  ['403', answering(403, 'text/plain', 'no'), /it answered 403: "no"; if no other server/],
  ['500', answering(500, 'text/plain', 'oops'), /it answered 500.*see whether it runs/],
  ['200 with garbage', answering(200, 'text/plain', 'hello\n'), /no cosignature of this checkpoint/],
  ['200 with nothing', answering(200, 'text/plain', ''), /no cosignature/],
  ['an endless answer', (async () => new Response(endless())) as Post, /more than 65536 bytes/],
  ['no answer at all', stuck(), /no answer within 200 ms/],
] as const) {
  test(`a witness that answers ${what} is an alarm with what it said, and adds nothing`, async (t) => {
    const { log, policy, stored, alarms, onAlarm } = await witnessed(t, ['a']);
    const ledger = await log.open({ witnesses: { policy: policy(1), required: false, post, timeoutMs: 200 }, onAlarm });
    await ledger.append(hops(1));
    await ledger.publish();
    assert.match(alarms[0] ?? '', says);
    assert.equal((await stored()).match(/\n\u2014 /g)?.length, 1);
  });
}

function sizes(): Post {
  return async () => new Response('0\n', { status: 409, headers: { 'content-type': 'text/x.tlog.size' } });
}

function stuck(): Post {
  return (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

test('another witness’s cosignature, and one of another checkpoint, are not taken', async (t) => {
  const { log, policy, servers, alarms, onAlarm, stored } = await witnessed(t, ['a', 'b']);
  const post: Post = (_, init) => fetch(`${servers[1]?.url}/add-checkpoint`, init);
  const ledger = await log.open({
    witnesses: { policy: policy(1, servers.slice(0, 1)), required: false, post },
    onAlarm,
  });
  await ledger.append(hops(1));
  await ledger.publish();
  assert.match(alarms[0] ?? '', /carries no signature by a\.example/);
  assert.doesNotMatch(await stored(), /b\.example/);
});

test('a policy of other logs, or with a witness that has no address, is refused at start', async (t) => {
  const { log, policy, servers } = await witnessed(t, ['a']);
  const [{ verifierKey }] = servers as [Served];
  const other = await testLog(t).then((each) => each.open({ keyFolder: each.keyFolder }));
  const logs = [{ verifierKey: other.verifierKey }];
  await assert.rejects(log.open({ witnesses: { policy: { ...policy(1), logs }, required: true } }), {
    code: 'mismatch',
  });
  const silent = { ...policy(1), witnesses: [{ name: 'a', verifierKey }] };
  await assert.rejects(log.open({ witnesses: { policy: silent, required: true } }), /expected its address/);
});

test('checkpoints are kept aside on schedule, never replaced, and another history is told', async (t) => {
  const { log, verifierKey } = await witnessed(t, []);
  const folder = await temporaryFolder(t);
  const { readdir, readFile, writeFile } = await import('node:fs/promises');
  const ledger = await log.open({ anchor: { folder, intervalMs: 0 } });
  for (const count of [2, 3]) {
    await ledger.append(hops(count));
    await ledger.publish();
  }
  const [own = ''] = await readdir(folder);
  const names = await readdir(`${folder}/${own}`);
  assert.deepEqual(
    names.map((name) => Number.parseInt(name, 10)),
    [0, 2, 5],
  );
  const policy = parsePolicy(policyForOthers(verifierKey, undefined));
  for (const name of names) await checkPolicy(await readFile(`${folder}/${own}/${name}`, 'utf8'), policy);
  await writeFile(`${folder}/${own}/00000000000000000006.checkpoint`, 'another history\n\n');
  await ledger.append(hops(1));
  await assert.rejects(ledger.publish(), { code: 'rewritten', message: /holds another tree/ });
});
