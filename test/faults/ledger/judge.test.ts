import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexesOf, testLog } from '../../ledger/harness.ts';
import { hops } from '../../ledger/observations.ts';
import { judge } from './judge.ts';

test('the judge of the fault runs finds a loss, a moved index and a duplicate that were planted, and nothing in a sound log', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const sent = hops(20);
  const indexes = indexesOf(await ledger.append(sent));
  await ledger.close();
  const acknowledged = new Map(sent.map(({ id }, i) => [id, Number(indexes[i])]));
  const verdict = async () => {
    const { lost, duplicated, difference } = await judge(log.database, 1, acknowledged);
    return [lost, duplicated, difference !== undefined];
  };
  assert.deepEqual(await verdict(), [0, 0, false]);
  await log.tamper(
    'insert into behalf.entry select 1, 20, bytes from behalf.entry where log_id = 1 and leaf_index = 3',
  );
  assert.deepEqual(await verdict(), [0, 1, true]);
  await log.tamper('delete from behalf.entry where log_id = 1 and leaf_index in (5, 20)');
  assert.deepEqual(await verdict(), [1, 0, true]);
  acknowledged.set(sent[7]?.id ?? '', 8);
  assert.deepEqual(await verdict(), [2, 0, true]);
});
