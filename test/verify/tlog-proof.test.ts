import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTlogProof, formatTlogProof, parseTlogProof, type TlogProof, VerificationError } from '@behalf/verify';
import fc from 'fast-check';
import {
  checkpointText,
  flipped,
  leafOf,
  numberedEntries,
  pathOf,
  referenceLog,
  signNote,
  verifierKeyOf,
} from './reference-log.ts';

const log = referenceLog(numberedEntries(300));
const proofOf = (index: number): TlogProof => ({
  index: BigInt(index),
  proof: pathOf(log.leaves, index).map((hash) => new Uint8Array(hash)),
  checkpoint: log.note,
});
const check = (proof: string, index: number, verifierKey = log.verifierKey) =>
  checkTlogProof({ proof, leaf: log.leaves[index] as Buffer, verifierKey });

test('the file is laid out as c2sp.org/tlog-proof says', () => {
  const { proof } = proofOf(7);
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  assert.equal(formatTlogProof(proofOf(7)), `c2sp.org/tlog-proof@v1\nindex 7\n${lines}\n${log.note}`);
  const extra = new Uint8Array([1, 2, 3]);
  assert.ok(formatTlogProof({ ...proofOf(7), extra }).startsWith('c2sp.org/tlog-proof@v1\nextra AQID\nindex 7\n'));
});

test('every leaf’s file is accepted for that leaf and refused for its neighbour', async () => {
  for (let index = 0; index < 300; index += 23) {
    const file = formatTlogProof(proofOf(index));
    const proven = await check(file, index);
    assert.deepEqual(proven, {
      index: BigInt(index),
      checkpoint: { origin: log.origin, size: 300n, root: new Uint8Array(log.root) },
    });
    await assert.rejects(check(file, (index + 1) % 300), { code: 'inclusion' });
  }
});

test('a log of one leaf has a proof without hashes', async () => {
  const one = referenceLog(numberedEntries(1));
  const file = formatTlogProof({ index: 0n, proof: [], checkpoint: one.note });
  await checkTlogProof({ proof: file, leaf: leafOf(Buffer.from('leaf 0')), verifierKey: one.verifierKey });
});

test('the extra authenticates nothing and changes nothing', async () => {
  const file = formatTlogProof({ ...proofOf(7), extra: new Uint8Array([1]) });
  assert.equal((await check(file, 7)).index, 7n);
  assert.deepEqual(parseTlogProof(file).extra, new Uint8Array([1]));
});

test('a file with any bit flipped is refused', async () => {
  const bytes = new TextEncoder().encode(formatTlogProof(proofOf(7)));
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const changed = new TextDecoder().decode(flipped(bytes, bit));
    await assert.rejects(check(changed, 7), VerificationError, `bit ${bit}`);
  }
});

test('the checkpoint must be this log’s, signed by this log', async () => {
  const other = signNote(log.origin, checkpointText('other.example', 300, log.root));
  await assert.rejects(check(formatTlogProof({ ...proofOf(7), checkpoint: other }), 7), { code: 'wrong_origin' });
  await assert.rejects(check(formatTlogProof(proofOf(7)), 7, verifierKeyOf('other.example')), { code: 'unsigned' });
  const smaller = signNote(log.origin, checkpointText(log.origin, 7, log.root));
  await assert.rejects(check(formatTlogProof({ ...proofOf(7), checkpoint: smaller }), 7), { code: 'malformed' });
});

test('what formatTlogProof writes, parseTlogProof reads back', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const some = fc.record(
    {
      extra: fc.uint8Array({ minLength: 1, maxLength: 50 }),
      index: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      proof: fc.array(hash, { maxLength: 64 }),
      checkpoint: fc.constant(log.note),
    },
    { requiredKeys: ['index', 'proof', 'checkpoint'], noNullPrototype: true },
  );
  fc.assert(fc.property(some, (proof) => assert.deepEqual(parseTlogProof(formatTlogProof(proof)), proof)));
});

const good = formatTlogProof(proofOf(7));
const hashLine = `${Buffer.alloc(32).toString('base64')}\n`;
const HOSTILE: Readonly<Record<string, string>> = {
  empty: '',
  'another version': good.replace('@v1', '@v2'),
  'no header': good.slice(good.indexOf('\n') + 1),
  'no index': good.replace('index 7\n', ''),
  'two indexes': good.replace('index 7\n', 'index 7\nindex 7\n'),
  'a leading zero': good.replace('index 7\n', 'index 07\n'),
  'a negative index': good.replace('index 7\n', 'index -7\n'),
  'an index of 2^64': good.replace('index 7\n', `index ${2n ** 64n}\n`),
  'two spaces': good.replace('index 7\n', 'index  7\n'),
  'an empty extra': good.replace('index 7\n', 'extra \nindex 7\n'),
  'an extra that is not base64': good.replace('index 7\n', 'extra a\nindex 7\n'),
  'the extra after the index': good.replace('index 7\n', 'index 7\nextra AQID\n'),
  'two extras': good.replace('index 7\n', 'extra AQID\nextra AQID\nindex 7\n'),
  'a short hash': good.replace('index 7\n', `index 7\n${Buffer.alloc(31).toString('base64')}\n`),
  '65 hashes': `c2sp.org/tlog-proof@v1\nindex 7\n${hashLine.repeat(65)}\n${log.note}`,
  'no checkpoint': good.slice(0, good.indexOf('\n\n') + 2),
  'no empty line': good.replace('\n\n', '\n'),
  'two empty lines': good.replace('\n\n', '\n\n\n'),
  'a checkpoint without signatures': good.slice(0, good.lastIndexOf('\n\n') + 2),
  'a note that is no checkpoint': formatTlogProof(proofOf(7)).replace(log.note, signNote(log.origin, 'hello\n')),
  'a carriage return': good.replaceAll('\n', '\r\n'),
  'something after the end': `${good}\n`,
};

for (const [what, file] of Object.entries(HOSTILE)) {
  test(`refused: ${what}`, () => {
    assert.throws(() => parseTlogProof(file), { name: 'VerificationError', code: 'malformed' });
  });
}

test('formatTlogProof refuses what could not be read back', () => {
  for (const proof of [
    { ...proofOf(7), index: -1n },
    { ...proofOf(7), index: 2n ** 64n },
    { ...proofOf(7), extra: new Uint8Array(0) },
    { ...proofOf(7), proof: [new Uint8Array(31)] },
    { ...proofOf(7), proof: Array(65).fill(new Uint8Array(32)) },
    { ...proofOf(7), checkpoint: 'no note' },
  ]) {
    assert.throws(() => formatTlogProof(proof), { code: 'malformed' });
  }
});
