import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEntryBundle, parseEntryBundle } from '@behalf/verify';
import fc from 'fast-check';

const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 });
const copies = (views: readonly Uint8Array[]): Uint8Array[] => views.map((view) => view.slice());

test('each entry follows its length in two bytes, most significant first (tlog-tiles v0.1.0)', () => {
  const bundle = formatEntryBundle([new Uint8Array([7]), new Uint8Array(0), new Uint8Array(258)]);
  assert.deepEqual(bundle.slice(0, 7), new Uint8Array([0, 1, 7, 0, 0, 1, 2]));
  assert.equal(bundle.length, 7 + 258);
});

test('what formatEntryBundle writes, parseEntryBundle reads back, also from inside a larger buffer', () => {
  fc.assert(
    fc.property(entries, (given) => {
      const bundle = formatEntryBundle(given);
      assert.deepEqual(copies(parseEntryBundle(bundle)), given);
      const around = new Uint8Array(bundle.length + 9).fill(0xee);
      around.set(bundle, 4);
      assert.deepEqual(copies(parseEntryBundle(around.subarray(4, 4 + bundle.length))), given);
    }),
  );
});

test('what parseEntryBundle accepts, formatEntryBundle would have written', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3), { maxLength: 40 }), (bytes) => {
      const bundle = new Uint8Array(bytes);
      let parsed: Uint8Array[];
      try {
        parsed = parseEntryBundle(bundle);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'malformed');
        return;
      }
      assert.deepEqual(formatEntryBundle(parsed), bundle);
    }),
    { numRuns: 2000 },
  );
});

for (const [what, bundle] of [
  ['nothing', new Uint8Array(0)],
  ['half a length', new Uint8Array(1)],
  ['a length and no entry', new Uint8Array([0, 1])],
  ['an entry cut off', new Uint8Array([0, 2, 9])],
  ['half a length after an entry', new Uint8Array([0, 1, 9, 0])],
  ['a length beyond the end', new Uint8Array([0xff, 0xff, 1])],
  ['257 entries', new Uint8Array(2 * 257)],
  ['a million empty entries', new Uint8Array(2_000_000)],
] as const) {
  test(`refused: ${what}`, () => assert.throws(() => parseEntryBundle(bundle), { code: 'malformed' }));
}

test('entries hold 0 to 65,535 bytes and a bundle 1 to 256 entries', () => {
  const longest = [new Uint8Array(65_535).fill(1)];
  assert.deepEqual(copies(parseEntryBundle(formatEntryBundle(longest))), longest);
  assert.equal(parseEntryBundle(formatEntryBundle(Array(256).fill(new Uint8Array(0)))).length, 256);
  assert.throws(() => formatEntryBundle([new Uint8Array(65_536)]), { code: 'malformed' });
  assert.throws(() => formatEntryBundle([]), { code: 'malformed' });
  assert.throws(() => formatEntryBundle(Array(257).fill(new Uint8Array(0))), { code: 'malformed' });
});
