import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reindex, startProjectionThread } from '#projection';
import { delegatedCall, Entries } from '../chains/entries.ts';
import { testLog } from '../ledger/harness.ts';
import { observationsOf } from '../query/api.ts';
import { dump } from './tables.ts';

const many = (traces: number) => {
  const entries = new Entries();
  for (let n = 1; n <= traces; n += 1) delegatedCall(entries, n);
  return observationsOf(entries.all);
};

test('a follower on a thread of its own takes in what is appended, and a rebuild gives its tables', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const thread = startProjectionThread({ url: log.database.url, logId: 1, onAlarm: assert.ifError });
  t.after(() => thread.close());
  const observations = many(20);
  for (let at = 0; at < observations.length; at += 55) await ledger.append(observations.slice(at, at + 55));
  await thread.caughtUp(220n);
  assert.equal(thread.size(), 220n);
  const followed = await dump(log.database);
  assert.equal(followed.chain?.length, 20);
  await thread.close();
  await assert.rejects(thread.caughtUp(221n), /closed before it caught up/);
  await reindex({ database: log.database, logId: 1 });
  assert.deepEqual(await dump(log.database), followed);
});

test('a thread tells trouble once, says so while it lasts, and goes on by itself', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const owner = log.database.pool('owner');
  await owner.query('revoke insert on behalf.chain from behalf_projector');
  const told: Error[] = [];
  const thread = startProjectionThread({ url: log.database.url, logId: 1, onAlarm: (error) => told.push(error) });
  t.after(() => thread.close());
  await ledger.append(many(1));
  const caughtUp = thread.caughtUp(11n);
  while (thread.trouble() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  await owner.query('grant insert on behalf.chain to behalf_projector');
  await caughtUp;
  assert.equal(told.length, 1);
  assert.match(String(told[0]?.cause), /permission denied for table chain/);
  assert.equal(thread.trouble(), undefined);
});

test('a thread that cannot work is told of, started again, and closed all the same', async (t) => {
  const told: Error[] = [];
  const thread = startProjectionThread({ url: 'nonsense', logId: 1, onAlarm: (error) => told.push(error) });
  t.after(() => thread.close());
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(String(told[0]), /its thread ended and is started again/);
  assert.match(String(thread.trouble()), /its thread ended/);
});
