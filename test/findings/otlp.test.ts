import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from '#chains';
import { testDatabase } from '../database.ts';
import { temporaryFolder } from '../ledger/harness.ts';
import { judgeByPath } from './path.ts';
import { isRightAs, labelledSuite, rulesOfSummaries } from './suite.ts';

const PER_RULE = 7;

test('attacks and look-alikes of every rule, sent as OTLP, come out of ledger, projection and query API as labelled', async (t) => {
  const database = await testDatabase(t);
  const suite = labelledSuite(11, PER_RULE);
  for (const kind of ['attack', 'benign'] as const) assert.ok(suite.filter((each) => each.kind === kind).length >= 200);
  const judged = await judgeByPath(suite, { database, folder: await temporaryFolder(t), onAlarm: assert.ifError });
  assert.deepEqual(new Set(judged.map(({ labelled }) => labelled.rule)), new Set(RULES.map(({ id }) => id)));
  for (const { labelled, chains } of judged) {
    const { rule, kind } = labelled;
    assert.ok(chains.length > 0, `${kind} of ${rule}: no chain came out`);
    const found = [...rulesOfSummaries(chains)].join(', ');
    assert.ok(isRightAs(labelled, chains), `${kind} of ${rule}: found ${found || 'nothing'}`);
  }
});
