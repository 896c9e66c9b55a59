import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRounds } from './rounds.ts';

const ROUNDS = 10;

test('ten faults under load: fsck finds nothing, every acknowledged observation is there once, at its index', async (t) => {
  const seed = Date.now() % 2 ** 32;
  t.diagnostic(`seed ${seed}`);
  const { rounds, filledDisk } = await runRounds({
    rounds: ROUNDS,
    seed,
    onRound: ({ fault, recoveredMs }) => t.diagnostic(`${fault}: served again after ${recoveredMs.toFixed(0)} ms`),
  });
  if (!filledDisk) t.diagnostic('no small disk could be mounted: it was never full');
  assert.equal(rounds.length, ROUNDS);
  for (const { fault, lost, duplicated, difference, acknowledged } of rounds) {
    assert.deepEqual({ fault, lost, duplicated, difference }, { fault, lost: 0, duplicated: 0, difference: undefined });
    assert.ok(acknowledged > 0);
  }
});
