import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { GRADES } from '#chains';
import { KINDS, scenarioOf } from './kinds.ts';
import { Random } from './random.ts';
import { type Accuracy, accuracyOf } from './run.ts';

const CHAINS = 600;
let accuracy: Accuracy;
before(async () => {
  accuracy = await accuracyOf(7, CHAINS);
});

const claimsAt = (grade: (typeof GRADES)[number]) => {
  const [pairs, links] = [accuracy.total.pairs[grade], accuracy.total.links[grade]];
  return { claims: pairs.claims + links.claims, wrong: pairs.wrong + links.wrong };
};
const faults = (word: string): readonly string[] => accuracy.faults.filter((fault) => fault.includes(word));

test('nothing that is proven is false, and there is much that is proven', () => {
  const { claims, wrong } = claimsAt('proven');
  assert.equal(wrong, 0, faults('proven').join('\n'));
  assert.ok(claims > CHAINS, `${claims} claims`);
});

test('where the reports hold proof, it is found', () => {
  const { provable } = accuracy.total;
  assert.ok(provable.pairs > CHAINS / 2 && provable.links > CHAINS / 2);
  assert.equal(provable.pairsProven, provable.pairs, faults('not proven').join('\n'));
  assert.equal(provable.linksProven, provable.links, faults('not proven').join('\n'));
});

test('what is corroborated is true in at least 99.5 of 100 cases', () => {
  const { claims, wrong } = claimsAt('corroborated');
  assert.ok(claims > 100, `${claims} claims`);
  assert.ok(wrong / claims <= 0.005, `${wrong} of ${claims}: ${faults('corroborated').join('\n')}`);
});

test('two requests that nothing tells apart are returned as ambiguous, the true one among them', () => {
  const { ambiguous, links, chains } = accuracy.kinds.indistinguishable ?? assert.fail('the kind is there');
  assert.equal(ambiguous.hops, chains / 2, 'one call for every two requests');
  assert.equal(ambiguous.truthAmong, ambiguous.truthKnown);
  assert.equal(ambiguous.truthKnown, ambiguous.hops);
  assert.equal(links.proven.claims + links.corroborated.claims, 0);
  const twins = accuracy.kinds.twins ?? assert.fail('the kind is there');
  assert.equal(twins.ambiguous.truthAmong, twins.ambiguous.hops);
  assert.equal(twins.pairs.proven.claims, 0);
});

test('whatever is ambiguous has the truth among its candidates, wherever the reports could name it', () => {
  const { ambiguous } = accuracy.total;
  assert.ok(ambiguous.truthKnown > 50, `${ambiguous.truthKnown} hops`);
  assert.equal(ambiguous.truthAmong, ambiguous.truthKnown, faults('ambiguous').join('\n'));
});

test('a message whose trace context is lost is still one crossing, by its id', () => {
  const { found } = accuracy.kinds.queue_by_id ?? assert.fail('the kind is there');
  assert.ok(found.pairs > 20, `${found.pairs} crossings`);
  assert.equal(found.pairsFound, found.pairs);
});

test('the same seed gives the same corpus, another seed another', () => {
  for (const kind of Object.keys(KINDS)) {
    const bodies = (seed: number) => scenarioOf(kind, new Random(seed)).requests.map(({ body }) => body);
    assert.deepEqual(bodies(3), bodies(3));
    assert.notDeepEqual(bodies(3), bodies(4));
  }
});
