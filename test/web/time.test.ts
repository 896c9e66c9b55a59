import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatInstant, formatSpan } from '../../src/web/time.ts';

test('an instant keeps all nine digits, up to the largest time an observation may claim', () => {
  assert.equal(formatInstant('1793439700000000001'), '2026-10-31T09:41:40.000000001Z');
  assert.equal(formatInstant('0'), '1970-01-01T00:00:00.000000000Z');
  assert.equal(formatInstant('99999999999999999999'), '5138-11-16T09:46:39.999999999Z');
});

test('a span stands in one unit, and a time before the start is negative', () => {
  for (const [to, expected] of [
    ['1000', '0 ns'],
    ['1999', '999 ns'],
    ['3500', '2.5 µs'],
    ['5001000', '5.0 ms'],
    ['412001000', '412 ms'],
    ['2500001000', '2.5 s'],
    ['600000001000', '10 min'],
    ['0', '−1 µs'],
  ] as const) {
    assert.equal(formatSpan('1000', to), expected);
  }
});
