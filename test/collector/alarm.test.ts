import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarm } from '../../src/collector/alarm.ts';
import { collectorOf, span, traces } from './harness.ts';

test('an operator is told once why requests are answered 503, with the causes and no content', async (t) => {
  const told: string[] = [];
  const append = async () => {
    throw new Error('the disk is full', { cause: Object.assign(new Error('row (dana)'), { code: 'ENOSPC' }) });
  };
  const { post } = collectorOf(t, { ledger: { append }, onAlarm: (error) => void told.push(error.message) });
  const body = JSON.stringify(traces('payments', span(1, 2, { with: { 'user.id': 'dana' } })));
  for (let i = 0; i < 3; i += 1) assert.equal((await post('traces', body)).statusCode, 503);
  assert.deepEqual(told, ['collector: answered 503: Error: the disk is full <- Error ENOSPC']);
});

test('the same trouble is told again after ten seconds, with how often it came; words like a secret never', () => {
  const told: string[] = [];
  let now = 0;
  const alarm = new Alarm(
    (error) => void told.push(error.message),
    () => now,
  );
  for (now = 0; now <= 10_000; now += 1_000) alarm.raise(503, new Error('away'));
  alarm.raise(500, new Error('Bearer eyJhbGciOiJub25lIn0.e30.'));
  assert.deepEqual(told, [
    'collector: answered 503: Error: away',
    'collector: answered 503: Error: away (and 9 times before)',
    'collector: answered 500: Error (its words look like a secret)',
  ]);
});
