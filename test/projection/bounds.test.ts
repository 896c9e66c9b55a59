import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain } from '#chains';
import { startProjection } from '#projection';
import { MAX_SET } from '../../src/projection/assign.ts';
import { Memory } from '../../src/projection/memory.ts';
import { takeIn } from '../../src/projection/step.ts';
import { delegatedCall, Entries } from '../chains/entries.ts';
import { testDatabase } from '../database.ts';
import { testLog } from '../ledger/harness.ts';
import { observationsOf } from '../query/api.ts';
import { dump, project, record, storedChains } from './tables.ts';

const contentOf = (entries: Entries) => entries.all.map(({ entry }) => entry);

test('two tenants with the same traces, tokens and observation ids never mix: each has the tables it would have alone', async (t) => {
  const database = await testDatabase(t);
  const content = contentOf(delegatedCall(delegatedCall(), 2));
  const [one, two, alone] = [11, 12, 13];
  const first = await record(database, content.slice(0, 15), one);
  const second = await record(database, content, two);
  for (let at = 0; at < content.length; at += 4) {
    await takeIn(database, one, first.slice(at, at + 4));
    await takeIn(database, two, second.slice(at, at + 4));
  }
  await project(database, await record(database, content, alone), 1000, alone);
  const text = async (logId: number) => JSON.stringify(await dump(database, logId)).replaceAll(`(${logId},`, '(log,');
  assert.equal(await text(two), await text(alone));
  const chains = (await storedChains(database, one)) as Chain[];
  assert.ok(chains.every(({ entries }) => entries.every((leaf) => BigInt(leaf) < 15n)));
});

test('a trace without end is stitched up to a limit; what comes after is apart, and both say so', async (t) => {
  const database = await testDatabase(t);
  const entries = new Entries();
  for (let n = 2; n <= MAX_SET + 41; n += 1) entries.hop({ service: `s${n % 7}`, side: 'local', at: [1, n, n - 1] });
  const batch = await record(database, contentOf(entries));
  const memory = new Memory();
  for (let at = 0; at < batch.length; at += 5_020) await takeIn(database, 1, batch.slice(at, at + 5_020), memory);
  const { entry_set: sets = [] } = await dump(database);
  assert.equal(sets.length, 2);
  assert.ok(sets.every((row) => row.endsWith(',t)')));
  const chains = (await storedChains(database)) as Chain[];
  assert.equal(new Set(chains.flatMap(({ entries }) => entries)).size, MAX_SET + 40);
  assert.ok(chains.every(({ completeness }) => completeness.bounded && !completeness.complete));
});

test('a poisoned entry is counted and told of; the follower goes on behind it', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(observationsOf(delegatedCall().all));
  await ledger.publish();
  await log.tamper(
    `update behalf.entry set bytes = overlay(bytes placing '\\xff'::bytea from 1) where log_id = 1 and leaf_index = 0`,
  );
  const told: Error[] = [];
  const follower = startProjection({ database: log.database, logId: 1, onAlarm: (error) => told.push(error) });
  t.after(() => follower.close());
  await follower.caughtUp(11n);
  const { unread_entry: unread = [], projected_entry: projected = [] } = await dump(log.database);
  assert.deepEqual([unread.length, projected.length], [1, 10]);
  assert.match(String(told[0]), /1 entries cannot be read, the first is 0: entry bytes are not JSON in UTF-8/);
  assert.equal(follower.trouble(), undefined);
});
