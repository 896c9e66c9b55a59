import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES, stitch } from '#chains';
import { Random } from './random.ts';
import { alarmsOf, benignEntries, isRight, judge, labelledSuite, rulesOf, SCENARIOS } from './suite.ts';

const PER_RULE = 8;
const SEED = 20_261_124;
const suite = labelledSuite(SEED, PER_RULE);

test('every rule has an attack and a look-alike, and the suite holds 200 of each and more', () => {
  assert.deepEqual(SCENARIOS.map(({ rule }) => rule).toSorted(), RULES.map(({ id }) => id).toSorted());
  for (const kind of ['attack', 'benign'] as const) assert.ok(suite.filter((each) => each.kind === kind).length >= 200);
});

test('the same seed gives the same suite, another seed another one', () => {
  const text = (seed: number): string =>
    JSON.stringify(labelledSuite(seed, 2).map(({ entries }) => entries.map(({ entry }) => entry)));
  assert.equal(text(1), text(1));
  assert.notEqual(text(1), text(2));
});

for (const { rule } of SCENARIOS) {
  test(`attacks on ${rule} are found by it, and what looks like them raises no alarm`, () => {
    for (const labelled of suite.filter((each) => each.rule === rule)) {
      const found = [...rulesOf(judge(labelled))].join(', ');
      assert.ok(isRight(labelled), `${labelled.kind}: found ${found || 'nothing'}`);
    }
  });
}

test('an attack is never read as permitted, unless its rule judges nothing', () => {
  for (const labelled of suite.filter(({ kind }) => kind === 'attack')) {
    const rule = RULES.find(({ id }) => id === labelled.rule);
    const judged = judge(labelled).flatMap((chain) => chain.findings.filter((each) => each.rule === labelled.rule));
    for (const finding of judged) assert.equal(finding.verdict, rule?.verdict);
    if (rule?.verdict)
      assert.ok(judge(labelled).some(({ verdict }) => verdict !== 'permitted' && verdict !== 'unknown'));
  }
});

test('chains of services that behave raise no alarm, with reports lost among them', () => {
  const random = new Random(SEED);
  for (let i = 0; i < 1_000; i += 1) assert.deepEqual(alarmsOf(stitch(benignEntries(random))), [], `chain ${i}`);
});

test('without its facts a rule that rests on history says nothing', () => {
  const silent = RULES.filter((rule) => rule.restsOnHistory).map(({ id }) => id);
  assert.ok(silent.length >= 4);
  for (const { entries } of suite) for (const rule of rulesOf(stitch(entries))) assert.ok(!silent.includes(rule), rule);
});
