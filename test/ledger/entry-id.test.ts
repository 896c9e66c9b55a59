import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeEntry, parseEntry } from '#observation';
import { entryId } from '../../src/ledger/entry-id.ts';
import { testLog } from './harness.ts';
import { hops } from './observations.ts';

const ID = '0190a6f2-1c2d-7abc-8def-0123456789ab';
const OTHER = '0190a6f2-1c2d-7abc-8def-000000000000';
const idOf = (text: string): string | undefined => entryId(Buffer.from(text));

test('only the outermost member "id" is an entry’s id: not a nested one, a value, or one within a text', () => {
  assert.equal(idOf(`{"actors":[{"id":"${OTHER}"}],"authority":{"id":"${OTHER}"},"id":"${ID}","kind":"hop"}`), ID);
  assert.equal(idOf(`{"a":"\\"id\\":\\"${OTHER}\\"","b":"id","id":"${ID}"}`), ID);
  assert.equal(idOf(`{"a":"\\\\","id":"${ID}"}`), ID);
  for (const none of ['', '{}', '"id"', `"id":"${ID}"`, `[{"id":"${ID}"}]`, `{"a":{"id":"${ID}"}}`, `{"id":"${ID}`]) {
    assert.equal(idOf(none), undefined, none);
  }
  for (const bad of [ID.toUpperCase(), `${ID}0`, ID.replaceAll('-', '0'), 'x'])
    assert.equal(idOf(`{"id":"${bad}"}`), undefined);
});

test('it is what JSON.parse finds, in any canonical object, and never fails on any bytes', () => {
  const member = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
  fc.assert(
    fc.property(member, fc.boolean(), (rest, has) => {
      const { id: _, ...others } = rest;
      const object = Object.fromEntries(
        Object.entries(has ? { ...others, id: ID } : others).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      );
      assert.equal(idOf(JSON.stringify(object)), has ? ID : undefined);
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void entryId(bytes)));
});

test('it is the id of every entry that is stored', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(3));
  for (const { bytes } of await log.reader.entries(0n, 3)) {
    const entry = parseEntry(bytes);
    assert.equal(entryId(bytes), entry.id);
    assert.equal(entryId(encodeEntry(entry)), entry.id);
  }
});
