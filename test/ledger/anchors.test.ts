import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatCheckpoint } from '@behalf/verify';
import { checkAnchors } from '#ledger';
import { encodeEntry, parseEntry } from '#observation';
import { appendLeaves, EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { SigningKey } from '../../src/ledger/signing-key.ts';
import { temporaryFolder, testLog } from './harness.ts';
import { hops } from './observations.ts';
import { rewriteLog } from './rewrite.ts';

/** A closed log with checkpoints kept aside at sizes 0, 3, 300 and 600. */
async function anchored(t: TestContext) {
  const log = await testLog(t);
  const folder = await temporaryFolder(t);
  const ledger = await log.open({ anchor: { folder, intervalMs: 0 } });
  for (const count of [3, 297, 300]) {
    await ledger.append(hops(count));
    await ledger.publish();
  }
  await ledger.append(hops(5));
  await ledger.close();
  const [own = ''] = await readdir(folder);
  const path = (size: number) => join(folder, own, `${String(size).padStart(20, '0')}.checkpoint`);
  const check = (verifierKey?: string) =>
    checkAnchors({ database: log.database, logId: 1, folder, ...(verifierKey === undefined ? {} : { verifierKey }) });
  return { log, ledger, folder, path, check };
}

/** A whole other history, sound in itself and signed anew by whoever has database and key. */
async function rewriteAll({ log, ledger }: Awaited<ReturnType<typeof anchored>>, change: number, keep: number) {
  const entries = (await log.reader.entries(0n, 1000)).map(({ bytes }) => bytes);
  const forged = entries
    .slice(0, keep)
    .map((bytes, i) => (i === change ? encodeEntry({ ...parseEntry(bytes), operation: 'forged' } as never) : bytes));
  await rewriteLog(log.database, forged);
  const key = new SigningKey(Buffer.from((await readFile(join(log.keyFolder, 'signer.key'), 'utf8')).trim(), 'hex'));
  await log.tamper('delete from behalf.checkpoint where log_id = 1');
  const root = appendLeaves(EMPTY_EDGE, forged.map(hashLeaf)).root;
  const note = key.signNote(ledger.origin, formatCheckpoint({ origin: ledger.origin, size: BigInt(keep), root }));
  await log.database
    .pool('owner')
    .query('insert into behalf.checkpoint values (1, $1::bigint, $2::bytea, $3::text)', [keep, root, note]);
}

test('a log that grew out of everything kept aside is told so, with how much was compared', async (t) => {
  const { check, ledger } = await anchored(t);
  for (const key of [undefined, ledger.verifierKey]) assert.deepEqual(await check(key), { ok: true, checkpoints: 5n });
});

test('a history rewritten and signed anew by whoever has database and key is sound to fsck, and not what was kept aside', async (t) => {
  const made = await anchored(t);
  await rewriteAll(made, 299, 605);
  await made.log.sound(605, made.ledger.verifierKey);
  const { ok, checkpoints, firstDifference } = await made.check(made.ledger.verifierKey);
  assert.deepEqual([ok, checkpoints, firstDifference?.kind], [false, 2n, 'anchor']);
  assert.match(firstDifference?.says ?? '', /300\.checkpoint: the log was rewritten: its first 300 entries/);
});

test('a log that went back behind what was kept aside is told', async (t) => {
  const made = await anchored(t);
  await rewriteAll(made, -1, 400);
  await made.log.sound(400, made.ledger.verifierKey);
  assert.match((await made.check()).firstDifference?.says ?? '', /600\.checkpoint: the log went back: .* holds 400/);
});

test('a checkpoint kept aside that is not the log’s own, or not of its size, is told', async (t) => {
  const { check, path, ledger } = await anchored(t);
  const other = new SigningKey(new Uint8Array(32).fill(5)).verifierKey(ledger.origin);
  assert.match((await check(other)).firstDifference?.says ?? '', /carries no signature/);
  const good = await readFile(path(300), 'utf8');
  for (const [bad, says] of [
    [good.replace('\n300\n', '\n301\n'), /does not verify/],
    ['', /expected an empty line/],
    [await readFile(path(3), 'utf8'), /it is of size 3/],
  ] as const) {
    await writeFile(path(300), bad);
    assert.match((await check()).firstDifference?.says ?? '', says);
  }
});

test('a folder without checkpoints of this log proves nothing, and is no success', async (t) => {
  const { check, folder, path } = await anchored(t);
  await copyFile(path(3), join(folder, '00000000000000000003.checkpoint'));
  await rm(join(path(3), '..'), { recursive: true });
  const { ok, firstDifference } = await check();
  assert.deepEqual([ok, /nothing was compared/.test(firstDifference?.says ?? '')], [false, true]);
});

test('what was kept aside before and after the log was handed over is held against the key of then', async (t) => {
  const { log, folder, check } = await anchored(t);
  const ledger = await log.open({ anchor: { folder, intervalMs: 0 } });
  const { from, to } = await ledger.rotateKey(0n);
  await ledger.append(hops(1));
  await ledger.publish();
  for (const key of [from, to, undefined]) assert.deepEqual(await check(key), { ok: true, checkpoints: 7n });
});
