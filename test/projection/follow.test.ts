import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reindex, startProjection } from '#projection';
import { delegatedCall, Entries } from '../chains/entries.ts';
import { testLog } from '../ledger/harness.ts';
import { observationsOf } from '../query/api.ts';
import { dump } from './tables.ts';

const many = (traces: number) => {
  const entries = new Entries();
  for (let n = 1; n <= traces; n += 1) delegatedCall(entries, n);
  return observationsOf(entries.all);
};

test('a follower takes in what is appended while it runs, and starts where the last one stopped', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const options = { database: log.database, logId: 1, onAlarm: assert.ifError };
  const observations = many(30);
  const first = startProjection(options);
  t.after(() => first.close());
  await ledger.append(observations.slice(0, 100));
  await first.caughtUp(100n);
  await ledger.append(observations.slice(100, 200));
  await first.caughtUp(200n);
  assert.equal(first.size(), 200n);
  await first.close();
  await ledger.append(observations.slice(200));
  const second = startProjection(options);
  t.after(() => second.close());
  await second.caughtUp(330n);
  assert.equal((await dump(log.database)).chain?.length, 30);
});

test('two followers of one log end with the tables of one', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const options = { database: log.database, logId: 1, onAlarm: assert.ifError };
  const followers = [startProjection(options), startProjection(options)];
  for (const each of followers) t.after(() => each.close());
  const observations = many(60);
  for (let at = 0; at < observations.length; at += 55) await ledger.append(observations.slice(at, at + 55));
  await Promise.all(followers.map((each) => each.caughtUp(660n)));
  const together = await dump(log.database);
  for (const each of followers) await each.close();
  await reindex({ database: log.database, logId: 1 });
  assert.deepEqual(await dump(log.database), together);
});

test('a rebuild gives the same tables, byte for byte, also beside a follower', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const follower = startProjection({ database: log.database, logId: 1, onAlarm: assert.ifError });
  t.after(() => follower.close());
  const observations = many(70);
  for (let at = 0; at < observations.length; at += 97) await ledger.append(observations.slice(at, at + 97));
  await follower.caughtUp(770n);
  const before = await dump(log.database);
  const seen: bigint[] = [];
  await reindex({ database: log.database, logId: 1, onProgress: (position) => seen.push(position) });
  assert.equal(seen.at(-1), 770n);
  assert.deepEqual(await dump(log.database), before);
  assert.ok((before.hop?.length ?? 0) > 300);
});

test('a follower whose database refuses tells it once, says so while it lasts, and goes on by itself', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const owner = log.database.pool('owner');
  await owner.query('revoke insert on behalf.chain from behalf_projector');
  const told: Error[] = [];
  const follower = startProjection({ database: log.database, logId: 1, onAlarm: (error) => told.push(error) });
  t.after(() => follower.close());
  await ledger.append(many(1));
  const caughtUp = follower.caughtUp(11n);
  while (follower.trouble() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(follower.size(), 0n);
  await owner.query('grant insert on behalf.chain to behalf_projector');
  await caughtUp;
  assert.equal(told.length, 1);
  assert.match(String(told[0]?.cause), /permission denied for table chain/);
  assert.equal(follower.trouble(), undefined);
});

test('waiting for more than comes ends when the follower closes', async (t) => {
  const log = await testLog(t);
  await log.open();
  const follower = startProjection({ database: log.database, logId: 1, onAlarm: assert.ifError });
  const waiting = follower.caughtUp(1n);
  await follower.close();
  await assert.rejects(waiting, /closed before it caught up/);
  await assert.rejects(follower.caughtUp(1n), /closed before it caught up/);
});
