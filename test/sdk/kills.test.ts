import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../database.ts';
import { sdkKills } from '../faults/sdk-kills-run.ts';

test('a host killed 20 times under load: what it answered is in the ledger, once, by one sender, each number used once', async (t) => {
  const database = await testDatabase(t);
  const { answered, entries, missing, doubled, numbersReused, senders } = await sdkKills(t, { database, kills: 20 });
  assert.ok(answered > 20 && entries >= answered, `${answered} answered, ${entries} entries`);
  assert.deepEqual(
    { missing, doubled, numbersReused, senders },
    { missing: 0, doubled: 0, numbersReused: 0, senders: 1 },
  );
});
