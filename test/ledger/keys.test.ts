import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  checkPolicy,
  followHandOvers,
  formatHandOver,
  formatHandOverNote,
  openCheckpoint,
  openHandOver,
  parseNote,
} from '@behalf/verify';
import type { Post } from '#ledger';
import { readHandOvers, readVerifierKey } from '#ledger/read';
import { encodeConfig, newObservationId, parseConfig } from '#observation';
import { WitnessKey } from '#witness';
import { finishHandOver, openKeyRing, prepareHandOver } from '../../src/ledger/key-ring.ts';
import { SigningKey, signatureBy } from '../../src/ledger/signing-key.ts';
import { temporaryFolder, testLog } from './harness.ts';
import { hops } from './observations.ts';
import { rewriteLog } from './rewrite.ts';
import { witnessServer } from './witness-server.ts';

const IN_A_MONTH = () => BigInt(Math.floor(Date.now() / 1000) + 30 * 86_400);
const NOW = () => BigInt(Math.floor(Date.now() / 1000));

/** A log of ten published entries. */
async function signedLog(t: TestContext) {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(10));
  await ledger.publish();
  const note = async () => (await log.reader.checkpoint())?.note ?? '';
  return { log, ledger, note, first: ledger.verifierKey };
}

const isSignedBy = async (note: string, key: string): Promise<boolean> =>
  openCheckpoint(note, key).then(
    () => true,
    (error) => (error.code === 'unsigned' ? false : Promise.reject(error)),
  );

/** A hand-over as somebody with both of these keys would sign it. */
async function handOverBy(origin: string, from: SigningKey, to: SigningKey, claimed = from): Promise<string> {
  const handOver = {
    origin,
    from: claimed.verifierKey(origin),
    to: to.verifierKey(origin),
    until: IN_A_MONTH(),
  };
  const text = formatHandOver(handOver);
  const claimedId = parseNote(claimed.signNote(origin, text)).signatures[0]?.keyId ?? 0;
  const signature = { ...(await signatureBy(from, origin, text)), keyId: claimedId };
  return formatHandOverNote(handOver, [signature, await signatureBy(to, origin, text)]);
}

test('a rotated log is signed by both keys while the old one is still known, and every checkpoint is accepted by fsck', async (t) => {
  const { log, ledger, note, first } = await signedLog(t);
  const rotated = await ledger.rotateKey(IN_A_MONTH());
  assert.equal(rotated.from, first);
  assert.equal(rotated.leafIndex, 10n);
  await ledger.append(hops(5));
  await ledger.publish();
  for (const key of [rotated.from, rotated.to]) assert.equal((await openCheckpoint(await note(), key)).size, 16n);
  assert.equal(await readVerifierKey(log.database, 1), rotated.to);
  await ledger.close();
  const again = await log.open();
  assert.equal(again.verifierKey, rotated.to);
  await again.append(hops(1));
  await again.publish();
  for (const key of [rotated.from, rotated.to]) await log.sound(17, key);
  const [handOver] = await readHandOvers(log.database, 1);
  assert.deepEqual(await followHandOvers(first, [handOver?.note ?? '']), [first, rotated.to]);
  const entry = (await log.reader.entry(10n)) ?? assert.fail();
  assert.equal(parseConfig(entry)?.change.handOver, handOver?.note);
});

test('without a window the old key signs the checkpoint that holds the hand-over, and nothing after it', async (t) => {
  const { log, ledger, note, first } = await signedLog(t);
  const { to } = await ledger.rotateKey(NOW());
  assert.deepEqual([await isSignedBy(await note(), first), await isSignedBy(await note(), to)], [true, true]);
  await ledger.append(hops(1));
  await ledger.publish();
  assert.deepEqual([await isSignedBy(await note(), first), await isSignedBy(await note(), to)], [false, true]);
  assert.deepEqual(
    (await readdir(log.keyFolder)).filter((name) => name.startsWith('signer.key')),
    ['signer.key'],
  );
  for (const key of [first, to]) await log.sound(12, key);
});

test('the old key is destroyed when its window is over', async (t) => {
  const folder = await temporaryFolder(t);
  const { current: old } = await openKeyRing({ kind: 'file' }, folder);
  const note = await prepareHandOver(folder, 'log.example/one', 1000n);
  assert.equal(await prepareHandOver(folder, 'log.example/one', 5000n), note, 'asked again it is the same hand-over');
  const both = await openKeyRing({ kind: 'file' }, folder, () => 10n);
  assert.deepEqual(both.current.publicKey, old.publicKey);
  await finishHandOver(folder, () => 10n);
  await finishHandOver(folder, () => 10n);
  const during = await openKeyRing({ kind: 'file' }, folder, () => 999n);
  assert.deepEqual([during.current.publicKey, during.before?.publicKey], [both.next?.publicKey, old.publicKey]);
  for (const name of ['signer.key', 'signer.key.before'])
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
  const after = await openKeyRing({ kind: 'file' }, folder, () => 1000n);
  assert.equal(after.before, undefined);
  const later = await openKeyRing({ kind: 'file' }, folder, () => 10n); // a clock that went back brings nothing back
  assert.equal(later.before, undefined);
});

test('a rotation cut off after any step leaves a log that both keys sign, and goes on with the same key', async (t) => {
  const { log, ledger, note, first } = await signedLog(t);
  const handOver = await openHandOver(await prepareHandOver(log.keyFolder, ledger.origin, IN_A_MONTH()));
  await ledger.append(hops(1));
  await ledger.publish();
  assert.deepEqual([await isSignedBy(await note(), first), await isSignedBy(await note(), handOver.to)], [true, true]);
  await log.sound(11, first);
  await ledger.close();
  const restarted = await log.open();
  assert.equal(restarted.verifierKey, first);
  const rotated = await restarted.rotateKey(NOW());
  assert.deepEqual([rotated.to, rotated.leafIndex], [handOver.to, 11n]);
  await log.sound(12, rotated.to);
  await restarted.close();
  assert.equal((await log.open()).verifierKey, rotated.to);
});

test('a log is handed over as often as one likes, beside a server that runs all the while', async (t) => {
  const { log, ledger, first } = await signedLog(t);
  const running = await log.open({ publishIntervalMs: 1 });
  const keys = [first];
  for (let round = 0; round < 3; round += 1) {
    const { to } = await ledger.rotateKey(round === 1 ? NOW() : IN_A_MONTH());
    keys.push(to);
    await running.append(hops(4));
    await running.publish();
  }
  await ledger.publish();
  for (const key of keys) await log.sound(10 + 3 + 12, key);
  const notes = (await readHandOvers(log.database, 1)).map((each) => each.note);
  assert.deepEqual(await followHandOvers(first, notes), keys);
  assert.deepEqual(await followHandOvers(keys[2] ?? '', notes), keys.slice(2));
});

test('whoever has the database and not the key cannot hand the log over: no server goes on, fsck names it, verifiers refuse it', async (t) => {
  const { log, ledger, first } = await signedLog(t);
  await ledger.close();
  const thief = new SigningKey(new Uint8Array(32).fill(7));
  const own = new SigningKey(new Uint8Array(32).fill(8));
  const real = new SigningKey(Buffer.from((await readFile(join(log.keyFolder, 'signer.key'), 'utf8')).trim(), 'hex'));
  const forgeries = [
    await handOverBy(ledger.origin, thief, own, real), // signed by the thief under the real key's name
    await handOverBy(ledger.origin, thief, own), // from a key that never was the log's
    await handOverBy('log.example/other', thief, own),
  ];
  for (const note of forgeries) {
    const entries = (await log.reader.entries(0n, 10)).map(({ bytes }) => bytes);
    const { from, to } = { from: first, to: own.verifierKey(ledger.origin) };
    const change = { kind: 'log_key', from, to, handOver: note } as const;
    const config = encodeConfig({ v: 1, kind: 'config', id: newObservationId(Date.now()), time: '1', change });
    await rewriteLog(log.database, [...entries, config]);
    await log.database.pool('owner').query('insert into behalf.hand_over values (1, 10, $1::text)', [note]);
    for (const signs of [true, false]) await assert.rejects(log.open({ signs }), { code: 'rewritten' });
    assert.equal((await log.fsck()).firstDifference?.kind, 'hand_over');
    await assert.rejects(readVerifierKey(log.database, 1), { code: 'rewritten' });
    const followed = await followHandOvers(first, [note]).catch((error) => [error.code]);
    assert.ok(['bad_signature', first].includes(followed[0] ?? '') && followed.length === 1, followed.join());
    await log.database.pool('owner').query('alter table behalf.hand_over disable trigger user');
    await log.database.pool('owner').query('delete from behalf.hand_over where log_id = 1');
    await log.database.pool('owner').query('alter table behalf.hand_over enable trigger user');
  }
});

test('a hand-over row without its entry, and one whose entry says otherwise, are told by fsck', async (t) => {
  const { log, ledger, first } = await signedLog(t);
  const { leafIndex } = await ledger.rotateKey(IN_A_MONTH());
  const [row] = await readHandOvers(log.database, 1);
  const owner = log.database.pool('owner');
  await assert.rejects(
    owner.query('insert into behalf.hand_over values (1, 4711, $1::text)', [row?.note]),
    /no such entry/,
  );
  await assert.rejects(owner.query(`update behalf.hand_over set note = 'x'`), /append-only/);
  await assert.rejects(owner.query('delete from behalf.hand_over'), /append-only/);
  await assert.rejects(log.database.pool('writer').query('truncate behalf.hand_over'), { code: '42501' });
  await owner.query('insert into behalf.hand_over values (1, 3, $1::text)', [row?.note]);
  const { firstDifference } = await log.fsck(first);
  assert.deepEqual([firstDifference?.kind, firstDifference?.leafIndex], ['hand_over', 3n]);
  assert.equal(leafIndex, 10n);
});

test('a witness that knows only the old key goes on cosigning while the old key signs beside, and one that knows both after it', async (t) => {
  const { log, ledger, note, first } = await signedLog(t);
  await ledger.close();
  const knows = await witnessServer(t, 'w.example', [first]);
  const policy = {
    logs: [],
    witnesses: [{ name: 'w', verifierKey: knows.verifierKey, url: knows.url }],
    groups: [],
    quorum: 'w',
  };
  const alarms: string[] = [];
  const onAlarm = (error: unknown) => alarms.push(String(error));
  const witnessed = await log.open({ witnesses: { policy, required: true }, onAlarm });
  const { to } = await witnessed.rotateKey(IN_A_MONTH());
  await witnessed.append(hops(2));
  await witnessed.publish();
  for (const key of [first, to]) await checkPolicy(await note(), { ...policy, logs: [{ verifierKey: key }] });
  assert.deepEqual(alarms, []);
  const { to: last } = await witnessed.rotateKey(NOW());
  await witnessed.append(hops(1));
  await assert.rejects(witnessed.publish(), { code: 'unwitnessed' }, 'it knows none of the keys that sign now');
  assert.match(alarms.join('\n'), /no signature by a known key/);
  await witnessed.close();
  const key = await WitnessKey.open(knows.folder, 'w.example');
  const both = await witnessServer(t, 'w.example', [first, to, last], { key, folder: knows.folder });
  const post: Post = (_, init) => fetch(`${both.url}/add-checkpoint`, init);
  const reopened = await log.open({ witnesses: { policy, required: true, post }, onAlarm });
  await reopened.publish();
  await checkPolicy(await note(), { ...policy, logs: [{ verifierKey: last }] });
});

test('a key that is kept elsewhere is not handed over here, and nothing changes', async (t) => {
  const log = await testLog(t);
  const secret = '11'.repeat(32);
  const ledger = await log.open({ key: { kind: 'secret', secret } });
  await assert.rejects(ledger.rotateKey(IN_A_MONTH()), { code: 'key', message: /only a key that Behalf keeps/ });
  assert.deepEqual(
    (await readdir(log.keyFolder)).filter((name) => name.startsWith('signer.')),
    [],
  );
  await ledger.append(hops(1));
  await ledger.publish();
  await log.sound(1, ledger.verifierKey);
});
