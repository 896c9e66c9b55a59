import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { portableSha256, sha256 } from '@behalf/verify';
import fc from 'fast-check';

const reference = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const own = (...parts: readonly Uint8Array[]): string => {
  const hash = sha256(...parts);
  assert.deepEqual(portableSha256(...parts), hash, 'what browsers hash with gives the same');
  return Buffer.from(hash).toString('hex');
};

test('every message of 0 to 300 bytes hashes as node:crypto hashes it', () => {
  for (let length = 0; length <= 300; length += 1) {
    const message = randomBytes(length);
    assert.equal(own(message), reference(message), `length ${length}`);
  }
});

test('messages that fill, and overflow, the kept buffer hash as node:crypto hashes them', () => {
  for (const length of [65_535, 131_062, 131_063, 131_064, 131_072, 131_073, 1_000_003]) {
    const message = randomBytes(length);
    assert.equal(own(message), reference(message), `length ${length}`);
  }
});

test('a message cut into parts anywhere hashes as the whole, whatever was hashed before it', () => {
  const part = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), part, (parts, before) => {
      sha256(before);
      assert.equal(own(...parts), reference(Buffer.concat(parts)));
    }),
    { numRuns: 500 },
  );
});

test('a part may be a view into a larger buffer', () => {
  const whole = randomBytes(500);
  assert.equal(own(whole.subarray(17, 333)), reference(whole.subarray(17, 333)));
});

test('a returned hash is the caller’s own: later calls do not change it', () => {
  const first = sha256(new Uint8Array([1]));
  const copy = first.slice();
  sha256(new Uint8Array([2]));
  assert.deepEqual(first, copy);
});

test('a returned hash is a plain Uint8Array, whose slice is a copy', () => {
  for (const hash of [sha256(), portableSha256()]) assert.equal(Object.getPrototypeOf(hash), Uint8Array.prototype);
});
