import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Recorded, stitch } from '#chains';
import { collectorOf } from '../collector/harness.ts';
import { KINDS, scenarioOf } from '../corpus/kinds.ts';
import { Random } from '../corpus/random.ts';
import { alarmsOf } from './suite.ts';

const ROUNDS = 20;

test('transactions of services that behave, with reports, traces and exchanges lost on the way, alarm in at most 1 %', async (t) => {
  const { post, observations } = collectorOf(t);
  const alarms: string[] = [];
  let chains = 0;
  for (const [i, kind] of Object.keys(KINDS).entries()) {
    for (let round = 0; round < ROUNDS; round += 1) {
      const from = observations.length;
      for (const { signal, body } of scenarioOf(kind, new Random(8_000_003 + round * 101 + i)).requests)
        await post(signal, body);
      const recorded = observations.slice(from).map((entry, at): Recorded => ({ leafIndex: BigInt(at), entry }));
      for (const chain of stitch(recorded)) {
        chains += 1;
        const found = [...new Set(alarmsOf([chain]))];
        if (found.length > 0) alarms.push(`${kind} ${round}: ${found.join(', ')}`);
      }
    }
  }
  t.diagnostic(`${alarms.length} of ${chains} chains: ${alarms.join('; ')}`);
  assert.ok(chains > 500);
  assert.ok(alarms.length <= chains / 100, alarms.join('; '));
});
