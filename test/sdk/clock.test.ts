import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BackwardWriter } from '../../src/sdk/backward-writer.ts';
import { startTimer, unixMicros, unixNano } from '../../src/sdk/clock.ts';
import { newObservationId } from '../../src/sdk/observation-id.ts';
import { isInternalAddress } from '../../src/sdk/peer-address.ts';

test('both forms of a moment have the same digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1e15, max: 4e15 }), (micros) => {
      const writer = new BackwardWriter();
      writer.nanos(unixMicros(micros / 1000));
      assert.equal(unixNano(micros / 1000), String(Buffer.from(writer.view()).readBigUInt64LE()));
      assert.ok(Math.abs(unixMicros(micros / 1000) - micros) <= 1);
    }),
  );
});

test('work never ends before it began', () => {
  const timer = startTimer();
  assert.ok(timer.endMs() >= timer.startMs);
});

test('an observation id is a UUIDv7 that begins with its time, and no two are alike', () => {
  const ids = Array.from({ length: 1000 }, () => newObservationId(0x0123456789ab + 0.7));
  assert.equal(new Set(ids).size, 1000);
  for (const id of ids) assert.match(id, /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('calling addresses of machines are kept; what may be a person’s, or is no address, is not', () => {
  const kept = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.1',
    '192.168.0.9',
    '100.64.1.1',
    '::1',
    '::ffff:10.0.0.1',
    'fd00::1',
    'fe80::1%eth0',
  ];
  const left = ['203.0.113.9', '8.8.8.8', '172.32.0.1', '2001:db8::1', '::ffff:203.0.113.9', 'localhost', '', '10.0.0'];
  assert.deepEqual(
    kept.filter((address) => !isInternalAddress(address)),
    [],
  );
  assert.deepEqual(left.filter(isInternalAddress), []);
});
