import assert from 'node:assert/strict';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type HashReader, openCheckpoint, proveConsistency } from '@behalf/verify';
import { encodeEntry, parseEntry } from '#observation';
import { appendLeaves, EMPTY_EDGE, rootOfEdge } from '../../src/ledger/edge.ts';
import { bytesOf, hashLeaf } from '../../src/ledger/hash.ts';
import { openKeyRing } from '../../src/ledger/key-ring.ts';
import { Signer } from '../../src/ledger/signer.ts';
import { testDatabase } from '../database.ts';
import { indexesOf, range, temporaryFolder, testLog } from './harness.ts';
import { hops } from './observations.ts';
import { rewriteLog } from './rewrite.ts';

/** A published log of 20 entries, closed, with its entries' bytes. */
async function closedLog(t: Parameters<typeof testLog>[0]) {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(20));
  await ledger.close();
  const entries = (await log.reader.entries(0n, 100)).map(({ bytes }) => bytes);
  const state = () => stateOf(log.keyFolder);
  return { log, entries, verifierKey: ledger.verifierKey, state };
}

/** What the signer wrote last. */
async function stateOf(keyFolder: string): Promise<string> {
  const names = (await readdir(join(keyFolder, 'signer'))).toSorted();
  return readFile(join(keyFolder, 'signer', names.at(-1) ?? ''), 'utf8');
}

/** The same entry with another operation, as a forger would write it. */
const forged = (bytes: Uint8Array): Uint8Array => encodeEntry({ ...parseEntry(bytes), operation: 'forged' } as never);

test('a database that went back is refused at start and nothing is signed', async (t) => {
  const { log, entries, state } = await closedLog(t);
  const before = await state();
  await rewriteLog(log.database, entries.slice(0, 12));
  await assert.rejects(log.open(), { code: 'rollback', message: /signed 20, database 12; .*restore a newer one/ });
  assert.equal(await state(), before);
});

test('a database that is gone while its key folder is there is refused, and no new log begins', async (t) => {
  const { log } = await closedLog(t);
  const other = await testDatabase(t);
  await assert.rejects(log.open({ database: other }), { code: 'rollback', message: /restore the database/ });
  assert.deepEqual((await other.pool('reader').query('select log_id from behalf.log')).rows, []);
});

for (const [what, longer] of [
  ['of the same size', 0],
  ['that grew', 5],
] as const) {
  test(`a rewritten history ${what}, sound in itself, is refused at start and nothing is signed`, async (t) => {
    const { log, entries, state } = await closedLog(t);
    const before = await state();
    const appended = entries.slice(0, longer).map((bytes) => {
      const [observation] = hops(1);
      return encodeEntry({ ...parseEntry(bytes), id: observation?.id } as never);
    });
    await rewriteLog(log.database, [...entries.map((bytes, i) => (i === 3 ? forged(bytes) : bytes)), ...appended]);
    await assert.rejects(log.open(), { code: 'rewritten', message: /nothing was signed/ });
    assert.equal(await state(), before);
  });
}

test('a bit flipped in a stored entry is never signed: the log stops, says so once, and fsck names the index', async (t) => {
  const log = await testLog(t);
  const alarms: unknown[] = [];
  const ledger = await log.open({ onAlarm: (error) => alarms.push(error) });
  await ledger.append(hops(8));
  await ledger.publish();
  await ledger.append(hops(8));
  await log.tamper(
    'update behalf.entry set bytes = set_byte(bytes, 30, get_byte(bytes, 30) # 1) where log_id = 1 and leaf_index = 11',
  );
  await assert.rejects(ledger.publish(), { code: 'corrupt', message: /entry 11 .*nothing was signed/ });
  await assert.rejects(ledger.append(hops(1)), { code: 'corrupt', retryable: false });
  assert.equal((await log.reader.checkpoint())?.size, 8n);
  assert.deepEqual((await log.fsck()).firstDifference?.leafIndex, 11n);
  await ledger.close();
  assert.equal(alarms.length, 1);
  await assert.rejects(log.open(), { code: 'corrupt' });
  await log.tamper(
    'update behalf.entry set bytes = set_byte(bytes, 30, get_byte(bytes, 30) # 1) where log_id = 1 and leaf_index = 11',
  );
  const mended = await log.open();
  assert.deepEqual(indexesOf(await mended.append(hops(1))), range(16, 17));
  await mended.publish();
  await log.sound(17, mended.verifierKey);
});

test('a tile changed after it was signed keeps the next checkpoint from being signed', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open({ onAlarm: () => undefined });
  await ledger.append(hops(520));
  await ledger.publish();
  await log.tamper(
    `update behalf.tile set hashes = overlay(hashes placing '\\x0000'::bytea from 5) where log_id = 1 and level = 1`,
  );
  await ledger.append(hops(1));
  await assert.rejects(ledger.publish(), { code: 'rewritten', message: /signed at size 520.*nothing was signed/ });
  assert.equal((await log.reader.checkpoint())?.size, 520n);
});

test('a checkpoint that was signed and not stored before a crash is stored at the next start', async (t) => {
  const { log, verifierKey } = await closedLog(t);
  await log.tamper('delete from behalf.checkpoint where log_id = 1 and size = 20');
  assert.equal((await log.reader.checkpoint())?.size, 0n);
  await log.open();
  const note = (await log.reader.checkpoint())?.note ?? '';
  assert.equal((await openCheckpoint(note, verifierKey)).size, 20n);
  await log.sound(20, verifierKey);
});

test('another history signed at the same size is an alarm and is not overwritten', async (t) => {
  const { log } = await closedLog(t);
  await log.tamper(`update behalf.checkpoint set root = sha256('another') where log_id = 1 and size = 20`);
  await assert.rejects(log.open(), { code: 'rewritten', message: /two histories/ });
});

test('another server’s keys are refused before anything is written', async (t) => {
  const { log, entries } = await closedLog(t);
  await assert.rejects(log.open({ keyFolder: await temporaryFolder(t) }), {
    code: 'mismatch',
    message: /own key folder/,
  });
  await assert.rejects(log.open({ origin: 'log.example/other' }), {
    code: 'mismatch',
    message: /an origin never changes/,
  });
  await rm(join(log.keyFolder, 'persons.key'));
  await assert.rejects(log.open(), { code: 'mismatch', message: /persons\.key/ });
  await log.sound(entries.length);
});

test('a state file that is not this log’s is refused', async (t) => {
  const { log } = await closedLog(t);
  await writeFile(join(log.keyFolder, 'signer', '999999999999.checkpoint'), 'something\n');
  await assert.rejects(log.open(), { code: 'mismatch', message: /signer: expected .* found something else/ });
});

for (const name of ['signer.key', 'persons.key']) {
  test(`${name} is made for its owner alone, and refused when others may read it or it is not hex`, async (t) => {
    const { log } = await closedLog(t);
    const path = join(log.keyFolder, name);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(log.keyFolder)).mode & 0o077, 0);
    for (const mode of [0o640, 0o604, 0o620]) {
      await chmod(path, mode);
      await assert.rejects(log.open(), { code: 'key', message: /chmod 600/ });
    }
    await chmod(path, 0o600);
    const text = await readFile(path, 'utf8');
    for (const bad of ['', text.slice(1), `${text.trim()}zz\n`, text.toUpperCase().replace(/^./, 'G')]) {
      await writeFile(path, bad);
      await assert.rejects(log.open(), (error: Error) => {
        assert.match(error.message, /expected 32 bytes as hex/);
        assert.ok(bad.length < 8 || !error.message.includes(bad.trim()), 'the message repeats the key');
        return true;
      });
    }
    await writeFile(path, text);
    await log.open();
  });
}

test('however many servers make the keys at once, they hold the same ones', async (t) => {
  const log = await testLog(t);
  const ledgers = await Promise.all([log.open(), log.open(), log.open()]);
  assert.equal(new Set(ledgers.map(({ verifierKey }) => verifierKey)).size, 1);
  await Promise.all(ledgers.map((ledger) => ledger.append(hops(3))));
  await Promise.all(ledgers.map((ledger) => ledger.publish()));
  await log.sound(9, ledgers[0].verifierKey);
});

test('a signer whose state another process moved on signs nothing, and is not alarmed', async (t) => {
  const { log, state } = await closedLog(t);
  const { origin, size, root } = await log.reader.log();
  const options = {
    folder: log.keyFolder,
    origin,
    keys: () => openKeyRing({ kind: 'file' }, log.keyFolder),
  };
  const [one, two] = [new Signer(options), new Signer(options)];
  const seen = await one.last();
  const grown = appendLeaves(EMPTY_EDGE, [
    ...(await log.reader.entries(0n, 100)).map(({ bytes }) => hashLeaf(bytes)),
    hashLeaf(Buffer.from('one more')),
  ]);
  const hashes = [...grown.edge.tiles].flat().map((hash) => bytesOf([hash]));
  const read: HashReader = async (nodes) =>
    nodes.map(({ start, end }) => subtreeHash(hashes, Number(start), Number(end)));
  const proof = await proveConsistency({ size1: size, size2: size + 1n, read });
  const signed = await two.sign({ size: size + 1n, root: grown.root }, proof, seen);
  assert.equal(signed?.checkpoint.size, size + 1n);
  const after = await state();
  assert.equal(await one.sign({ size, root }, [], seen), undefined);
  assert.equal(await state(), after);
});

/** The hash of a perfect subtree, from leaf hashes. */
function subtreeHash(leaves: readonly Uint8Array[], start: number, end: number): Uint8Array {
  return rootOfEdge(appendLeaves(EMPTY_EDGE, leaves.slice(start, end)).edge);
}
