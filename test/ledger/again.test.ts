import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Again } from '../../src/ledger/again.ts';

test('one checkpoint is asked for again after a pause that doubles, five minutes at most, until it is over', () => {
  let now = 0;
  const again = new Again(() => now);
  assert.equal(again.isDue(5n), false);
  const pauses: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    again.later(5n, 5000);
    const from = now;
    while (!again.isDue(5n)) now += 1000;
    pauses.push((now - from) / 1000);
  }
  assert.deepEqual(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
  assert.equal(again.isDue(6n), false, 'another checkpoint is asked for by itself');
  again.over();
  assert.equal(again.isDue(5n), false);
  again.later(6n, 5000);
  now += 5000;
  assert.equal(again.isDue(6n), true, 'the next one begins anew');
});
