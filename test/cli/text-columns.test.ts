import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { besideEachOther, wrap } from '../../src/cli/text-columns.ts';

test('wrapping keeps every character but the spaces it breaks at, and no line is too wide', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (text, width) => {
      const lines = wrap(text, width);
      assert.ok(lines.every((line) => line.length <= width));
      assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
    }),
  );
});

test('columns stand beside each other, cells of one row at one height', () => {
  const text = besideEachOther(
    [
      ['one', 'a long reason here'],
      ['two', 'short'],
    ],
    { width: 23, gap: 3 },
  );
  assert.equal(text, 'one          two\n\na long       short\nreason\nhere');
});
