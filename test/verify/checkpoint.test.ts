import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_ROOT, formatCheckpoint, openCheckpoint, parseCheckpoint } from '@behalf/verify';
import fc from 'fast-check';
import { keyNames } from './key-names.ts';
import { checkpointText, signNote, verifierKeyOf } from './reference-log.ts';

const root = new Uint8Array(32).fill(9);
const origin = 'log.example/behalf';

test('the specification’s example is read and written back', () => {
  // https://c2sp.org/tlog-checkpoint@v1.0.0
  const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
  const checkpoint = parseCheckpoint(text);
  assert.equal(checkpoint.size, 20852163n);
  assert.equal(checkpoint.origin, 'example.com/behind-the-sofa');
  assert.equal(formatCheckpoint(checkpoint), text);
});

test('what formatCheckpoint writes, parseCheckpoint reads back', () => {
  const size = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(keyNames, size, fc.uint8Array({ minLength: 32, maxLength: 32 }), (given, n, hash) => {
      const checkpoint = { origin: given, size: n, root: hash };
      assert.deepEqual(parseCheckpoint(formatCheckpoint(checkpoint)), checkpoint);
    }),
  );
});

test('a signed checkpoint opens under its log’s key, with a stranger’s cosignature beside', async () => {
  const note = signNote(origin, checkpointText(origin, 5, root));
  const expected = { origin, size: 5n, root };
  assert.deepEqual(await openCheckpoint(note, verifierKeyOf(origin)), expected);
  assert.deepEqual(await openCheckpoint(`${note}\u2014 witness.example AAAAAAA=\n`, verifierKeyOf(origin)), expected);
});

test('a checkpoint of another log is refused, though the key signed it', async () => {
  const note = signNote(origin, checkpointText('other.example', 5, root));
  await assert.rejects(openCheckpoint(note, verifierKeyOf(origin)), { code: 'wrong_origin' });
});

test('a signed text that is no checkpoint is refused', async () => {
  await assert.rejects(openCheckpoint(signNote(origin, 'hello\n'), verifierKeyOf(origin)), { code: 'malformed' });
});

test('an unsigned checkpoint and a malformed key are refused', async () => {
  const note = signNote('other.example', checkpointText('other.example', 5, root));
  await assert.rejects(openCheckpoint(note, verifierKeyOf(origin)), { code: 'unsigned' });
  await assert.rejects(openCheckpoint(note, 'key'), { code: 'malformed' });
});

const good = checkpointText(origin, 5, root);
const HOSTILE: Readonly<Record<string, string>> = {
  empty: '',
  'two lines': `${origin}\n5\n`,
  'no final newline': good.slice(0, -1),
  'an extension line': `${good}more\n`,
  'an empty line': `${good}\n`,
  'no origin': good.slice(origin.length),
  'a space in the origin': good.replace('log.', 'log '),
  'a leading zero': good.replace('\n5\n', '\n05\n'),
  'a sign': good.replace('\n5\n', '\n+5\n'),
  'a negative size': good.replace('\n5\n', '\n-5\n'),
  hexadecimal: good.replace('\n5\n', '\n0x5\n'),
  'a fraction': good.replace('\n5\n', '\n5.0\n'),
  'digits of another script': good.replace('\n5\n', '\n٥\n'),
  'no size': good.replace('\n5\n', '\n\n'),
  'a space before the size': good.replace('\n5\n', '\n 5\n'),
  'a size of 2^64': good.replace('\n5\n', `\n${2n ** 64n}\n`),
  'a size of a thousand digits': good.replace('\n5\n', `\n${'9'.repeat(1000)}\n`),
  'a short root': checkpointText(origin, 5, root.slice(1)),
  'a long root': checkpointText(origin, 5, new Uint8Array(33)),
  'a carriage return': good.replaceAll('\n', '\r\n'),
  'size 0 with a root': checkpointText(origin, 0, root),
};

for (const [what, text] of Object.entries(HOSTILE)) {
  test(`refused: ${what}`, () => {
    assert.throws(() => parseCheckpoint(text), { name: 'VerificationError', code: 'malformed' });
  });
}

test('the empty log’s checkpoint has the empty root', () => {
  assert.equal(formatCheckpoint(parseCheckpoint(checkpointText(origin, 0, EMPTY_ROOT))).split('\n')[1], '0');
});

test('formatCheckpoint refuses what could not be read back', () => {
  for (const checkpoint of [
    { origin: '', size: 1n, root },
    { origin: 'a\nb', size: 1n, root },
    { origin, size: -1n, root },
    { origin, size: 2n ** 64n, root },
    { origin, size: 0n, root },
    { origin, size: 1n, root: new Uint8Array(31) },
  ]) {
    assert.throws(() => formatCheckpoint(checkpoint), { code: 'malformed' });
  }
});
