import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryBundlePath, parseTilePath, tilePath, tileWidth } from '@behalf/verify';
import fc from 'fast-check';

// https://c2sp.org/tlog-tiles@v0.1.0
test('indexes are written in groups of three digits, as the specification does', () => {
  assert.equal(tilePath(0, 0n), 'tile/0/000');
  assert.equal(tilePath(0, 67n), 'tile/0/067');
  assert.equal(tilePath(1, 1000n), 'tile/1/x001/000');
  assert.equal(tilePath(63, 1234067n), 'tile/63/x001/x234/067');
  assert.equal(tilePath(0, 273n, 112), 'tile/0/273.p/112');
  assert.equal(entryBundlePath(1234067n), 'tile/entries/x001/x234/067');
  assert.equal(entryBundlePath(0n, 1), 'tile/entries/000.p/1');
});

const index = fc.bigInt({ min: 0n, max: 2n ** 56n - 1n });
const width = fc.integer({ min: 1, max: 256 });

test('what tilePath and entryBundlePath write, parseTilePath reads back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 63 }), index, width, (level, n, w) => {
      assert.deepEqual(parseTilePath(tilePath(level, n, w)), { kind: 'tile', level, index: n, width: w });
      assert.deepEqual(parseTilePath(entryBundlePath(n, w)), { kind: 'entries', index: n, width: w });
    }),
  );
});

for (const path of [
  '',
  'tile',
  'tile/0',
  'tile/0/',
  'tile/0/0',
  'tile/0/0000',
  'tile/00/000',
  'tile/64/000',
  'tile/-1/000',
  'tile/0/1000',
  'tile/0/001/000',
  'tile/0/x000/000',
  'tile/0/x001/x000',
  'tile/0/x001/000/',
  '/tile/0/000',
  'tile/0/000?',
  'tile/0/000\n',
  'tile/0/../0/000',
  'tile/0/%30%30%30',
  'tile/0/000.p',
  'tile/0/000.p/',
  'tile/0/000.p/0',
  'tile/0/000.p/01',
  'tile/0/000.p/256',
  'tile/0/000.p/999',
  'tile/0/000.p/-1',
  'tile/0/٠٠٠',
  'tile/entries',
  'tile/entries/000.p/256',
  'tile/data/000',
  'tile/0/x072/x057/x594/x037/x927/936',
  'tile/0/x999/x999/x999/x999/x999/x999/999',
  `tile/0/${'x000/'.repeat(5000)}000`,
]) {
  test(`refused: ${JSON.stringify(path.slice(0, 60))}`, () => {
    assert.throws(() => parseTilePath(path), { name: 'VerificationError', code: 'malformed' });
  });
}

test('the largest index is read', () => {
  assert.equal(parseTilePath('tile/0/x072/x057/x594/x037/x927/935').index, 2n ** 56n - 1n);
});

test('levels, indexes and widths out of range are refused', () => {
  for (const level of [-1, 64, 1.5, Number.NaN]) assert.throws(() => tilePath(level, 0n), { code: 'malformed' });
  for (const n of [-1n, 2n ** 56n]) assert.throws(() => entryBundlePath(n), { code: 'malformed' });
  for (const w of [0, 257, -1, 1.5, Number.NaN]) assert.throws(() => tilePath(0, 0n, w), { code: 'malformed' });
});

test('70,000 entries have the tiles the specification says', () => {
  const widths = (level: number, indexes: readonly bigint[]) => indexes.map((n) => tileWidth(level, n, 70_000n));
  assert.deepEqual(widths(0, [0n, 272n, 273n, 274n]), [256, 256, 112, 0]);
  assert.deepEqual(widths(1, [0n, 1n, 2n]), [256, 17, 0]);
  assert.deepEqual(widths(2, [0n, 1n]), [1, 0]);
  assert.deepEqual(widths(3, [0n]), [0]);
});
