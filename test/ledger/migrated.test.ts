import assert from 'node:assert/strict';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectDatabase, migrate } from '#database';
import { fsck } from '#ledger';
import { openLogReader } from '#ledger/read';
import { newObservationId } from '#observation';
import { migrateFrom } from '../../src/database/migrate.ts';
import { appendLeaves, EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { Sequencer } from '../../src/ledger/sequencer.ts';
import { emptyDatabase } from '../database.ts';
import { range, temporaryFolder } from './harness.ts';

const SIZE = 600;

test('a log of one row an entry is moved over as it was: sound, read by index, its ids known, and it goes on', async (t) => {
  const url = await emptyDatabase(t);
  const before = await temporaryFolder(t);
  const migrations = join(import.meta.dirname, '..', '..', 'migrations');
  for (const file of (await readdir(migrations)).filter((name) => name < '000005')) {
    await copyFile(join(migrations, file), join(before, file));
  }
  await migrateFrom(before, url);
  const database = connectDatabase({ url });
  t.after(() => database.close());
  const owner = database.pool('owner');
  const ids = Array.from({ length: SIZE }, (_, i) => newObservationId(Date.now() + 40 * (i % 20)));
  const entries = ids.map((id, i) => Buffer.from(`{"id":"${id}","pad":"${'x'.repeat(i)}"}`));
  const { root, tiles } = appendLeaves(EMPTY_EDGE, entries.map(hashLeaf));
  await owner.query(
    `insert into behalf.log (log_id, origin, verifier_key, persons_check, size, root) values (1, 'o', 'k', $2::bytea, $1::bigint, $2::bytea)`,
    [SIZE, root],
  );
  await owner.query('select behalf.extend_sequenced_id()');
  await owner.query(
    'insert into behalf.entry select 1, e.nr - 1, e.bytes from unnest($1::bytea[]) with ordinality as e(bytes, nr)',
    [entries],
  );
  await owner.query(
    'insert into behalf.sequenced_id (log_id, leaf_index, observation_id) select 1, i.nr - 1, i.id from unnest($1::uuid[]) with ordinality as i(id, nr)',
    [ids],
  );
  for (const { level, index, hashes } of tiles) {
    await owner.query('insert into behalf.tile values (1, $1::smallint, $2::bigint, $3::bytea)', [
      level,
      index,
      hashes,
    ]);
  }

  await migrate(url);

  assert.deepEqual(await fsck({ database, logId: 1 }), { ok: true, entries: BigInt(SIZE), checkpoints: 0n });
  const reader = openLogReader({ database, logId: 1 });
  for (const index of [0, 1, 255, 256, 599]) {
    assert.deepEqual(Buffer.from((await reader.entry(BigInt(index))) ?? ''), entries[index]);
  }
  const sequencer = new Sequencer({ database, logId: 1 });
  const all = [...ids.map((id, i) => ({ id, bytes: entries[i] ?? Buffer.alloc(1) }))];
  const answers = await sequencer.append(all);
  assert.ok(answers.every((each) => each.kind === 'sequenced' && each.duplicate));
  assert.deepEqual(
    answers.map((each) => each.kind === 'sequenced' && each.leafIndex),
    range(0, SIZE),
  );
  const id = newObservationId(Date.now());
  await sequencer.append([{ id, bytes: Buffer.from(`{"id":"${id}"}`) }]);
  await sequencer.close();
  assert.deepEqual(await fsck({ database, logId: 1 }), { ok: true, entries: BigInt(SIZE + 1), checkpoints: 0n });
});
