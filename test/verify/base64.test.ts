import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64, decodeHash, encodeBase64 } from '../../src/verify/base64.ts';

test('bytes are written as Buffer writes them and read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'));
      assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes);
    }),
  );
});

test('text is read only in the one form that is written', () => {
  const letters = fc.constantFrom(...'ABCDwxyz0189+/=-_ \n');
  fc.assert(
    fc.property(
      fc.array(letters, { maxLength: 12 }).map((all) => all.join('')),
      (text) => {
        const only = Buffer.from(text, 'base64').toString('base64') === text;
        if (only) assert.deepEqual(decodeBase64(text), new Uint8Array(Buffer.from(text, 'base64')));
        else assert.throws(() => decodeBase64(text), { code: 'malformed' });
      },
    ),
    { numRuns: 2000 },
  );
});

for (const text of [
  'A',
  'AA',
  'AAA',
  'AA=',
  'AAA==',
  'A===',
  '====',
  '=',
  'AB==',
  'AAB=',
  'AA==AA==',
  'AA==\n',
  ' AAAA',
]) {
  test(`refused: ${JSON.stringify(text)}`, () => assert.throws(() => decodeBase64(text), { code: 'malformed' }));
}
for (const text of ['AA-_', 'ＡＡＡＡ', 'AAAA\u0000', 'AAéA']) {
  test(`refused: ${JSON.stringify(text)}`, () => assert.throws(() => decodeBase64(text), { code: 'malformed' }));
}

test('a hash is 32 bytes', () => {
  assert.equal(decodeHash(encodeBase64(new Uint8Array(32)), 'hash').length, 32);
  for (const length of [0, 31, 33, 64]) {
    assert.throws(() => decodeHash(encodeBase64(new Uint8Array(length)), 'hash'), { code: 'malformed' });
  }
});
