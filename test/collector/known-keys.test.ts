import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { READ_IN_SPANS } from '../../src/collector/intake.ts';
import { KnownKeys } from '../../src/collector/known-keys.ts';
import { VOCABULARIES } from '../../src/collector/vocabulary/read-span.ts';

const utf8 = new TextEncoder();

test('a key is found in bytes exactly when the set has it, wherever it stands', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  fc.assert(
    fc.property(fc.uniqueArray(text), text, fc.uint8Array({ maxLength: 9 }), (keys, other, before) => {
      const known = new KnownKeys(keys);
      for (const key of [...keys, other]) {
        const bytes = utf8.encode(key);
        const place = Uint8Array.from([...before, ...bytes, ...before]);
        assert.equal(known.find(place, before.length, bytes.length), known.has(key) ? key : undefined);
        assert.equal(known.has(key), keys.includes(key));
      }
    }),
  );
});

test('every attribute that a vocabulary reads is found, and none that differs from it in one byte', () => {
  for (const key of VOCABULARIES.flatMap(({ keys }) => keys)) {
    const bytes = utf8.encode(key);
    assert.equal(READ_IN_SPANS.find(bytes, 0, bytes.length), key);
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = Uint8Array.from(bytes);
      changed[i] = (bytes[i] ?? 0) ^ 0x80;
      assert.equal(READ_IN_SPANS.find(changed, 0, changed.length), undefined);
    }
  }
});
