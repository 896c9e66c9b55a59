import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeEntry,
  type HopEntry,
  newObservationId,
  ObservationError,
  observationIdOf,
  parseEntry,
  parseObservation,
} from '#observation';

const hop: HopEntry = {
  v: 1,
  kind: 'hop',
  id: '019a0000-0000-7000-8000-000000000001',
  time: '1793439700000000000',
  received: '1793439700000000001',
  reporter: { service: 'books', authenticated: 'none' },
  source: { signal: 'log', vocabulary: 'behalf' },
  side: 'callee',
  transport: { protocol: 'http' },
  actors: [{ type: 'service', id: 'payments', basis: 'token' }],
  absent: {},
  anomalies: [],
};
const bytesOf = (text: string) => new TextEncoder().encode(text);

test('an entry reads back as it was written, whatever its text holds', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }), (operation) => {
      const entry = { ...hop, operation };
      assert.deepEqual(parseEntry(encodeEntry(entry)), entry);
    }),
  );
});

test('entry bytes are sorted by key and carry no white space (RFC 8785)', () => {
  const text = new TextDecoder().decode(encodeEntry(hop));
  assert.ok(
    text.startsWith('{"absent":{},"actors":[{"basis":"token","id":"payments","type":"service"}],"anomalies":[]'),
  );
});

for (const [what, text] of [
  ['white space', ` ${JSON.stringify(hop)}`],
  ['keys out of order', JSON.stringify(hop)],
  ['a duplicate key', new TextDecoder().decode(encodeEntry(hop)).replace('"v":1', '"v":1,"v":1')],
  ['an unknown key', new TextDecoder().decode(encodeEntry(hop)).replace('"v":1', '"v":1,"w":1')],
  ['another version', new TextDecoder().decode(encodeEntry(hop)).replace('"v":1', '"v":2')],
  ['no JSON', 'hop'],
] as const) {
  test(`entry bytes with ${what} are refused`, () => assert.throws(() => parseEntry(bytesOf(text)), ObservationError));
}

test('an entry beyond 65,535 bytes is refused', () => {
  const scopes = Array.from({ length: 256 }, (_, i) => `${i}`.padEnd(256, 'x'));
  assert.throws(() => encodeEntry({ ...hop, requiredScopes: scopes }), /expected at most 65535/);
});

test('a refusal names the field and never the value', () => {
  assert.throws(
    () => parseObservation({ ...hop, time: 'eyJhbGciOiJub25lIn0.secret.' }),
    (error) => error instanceof ObservationError && /\/time/.test(error.message) && !/secret/.test(error.message),
  );
  assert.throws(() => parseObservation({ kind: 'gossip' }), /expected kind hop, exchange or revocation, got "gossip"/);
});

test('observation ids are UUIDv7 that the schema takes, and the same content gives the same id', () => {
  const digest = '07'.repeat(32);
  const id = observationIdOf(1793439700000000000n, digest);
  assert.equal(id, observationIdOf(1793439700000000000n, digest));
  assert.notEqual(id, observationIdOf(1793439700000000000n, '08'.repeat(32)));
  for (const each of [
    id,
    newObservationId(1793439700000),
    observationIdOf(18446744073709551615n, digest),
    observationIdOf(0n, digest),
  ]) {
    assert.equal(parseObservation({ ...hop, id: each }).id, each);
  }
});
