import assert from 'node:assert/strict';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import { encodeConfig, newObservationId, ObservationError, parseConfig, parseEntry } from '#observation';

const entry = {
  v: 1,
  kind: 'config',
  id: newObservationId(Date.now()),
  time: '1793439700000000000',
  change: { kind: 'log_key', from: 'a', to: 'b', handOver: 'text\n\n— a b\n' },
} as const;

test('a config entry is canonical JSON, read back as it was written, and is no observation', () => {
  const bytes = encodeConfig(entry);
  assert.equal(Buffer.from(bytes).toString(), canonicalize(entry));
  assert.deepEqual(parseConfig(bytes), entry);
  assert.throws(() => parseEntry(bytes), ObservationError);
});

test('its schema is closed: what is more, less or of another kind is none', () => {
  const { change, ...rest } = entry;
  const others: unknown[] = [
    { ...entry, more: 1 },
    { ...entry, v: 2 },
    { ...entry, kind: 'hop' },
    { ...entry, id: 'x' },
    { ...entry, time: 5 },
    rest,
    { ...entry, change: { ...change, more: 1 } },
    { ...entry, change: { ...change, kind: 'other' } },
    { ...entry, change: { ...change, handOver: '' } },
    { ...entry, change: { ...change, handOver: 'x'.repeat(8193) } },
  ];
  for (const other of others) {
    assert.throws(() => encodeConfig(other as never), ObservationError);
    assert.equal(parseConfig(Buffer.from(canonicalize(other) ?? '')), undefined);
  }
  for (const text of ['', '{', 'null', '[]', ` ${canonicalize(entry)}`])
    assert.equal(parseConfig(Buffer.from(text)), undefined);
  assert.equal(parseConfig(Uint8Array.of(0xff, 0xfe)), undefined);
});
