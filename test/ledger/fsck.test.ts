import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Difference, fsck, type Ledger } from '#ledger';
import { newObservationId } from '#observation';
import { Sequencer } from '../../src/ledger/sequencer.ts';
import { flipHash, type TestLog, testLog } from './harness.ts';
import { hops } from './observations.ts';

/** A published log of `size` entries, in steps of up to 300 with a checkpoint after each. */
async function publishedLog(t: Parameters<typeof testLog>[0], size: number): Promise<[TestLog, Ledger]> {
  const log = await testLog(t);
  const ledger = await log.open();
  for (let left = size; left > 0; left -= 300) {
    await ledger.append(hops(Math.min(left, 300)));
    await ledger.publish();
  }
  await log.sound(size, ledger.verifierKey);
  return [log, ledger];
}

/** Tampers, demands that fsck names it, and mends it again. */
async function found(
  log: TestLog,
  { change, mend }: { change: string; mend: string },
  expected: Partial<Difference>,
): Promise<void> {
  await log.tamper(change);
  const { ok, firstDifference } = await log.fsck();
  assert.equal(ok, false, change);
  const { kind, leafIndex } = firstDifference ?? {};
  assert.deepEqual(
    { kind, ...(leafIndex === undefined ? {} : { leafIndex }) },
    expected,
    `${change}: ${firstDifference?.says}`,
  );
  await log.tamper(mend);
}

const flip = (table: string, column: string, where: string, byte: number): { change: string; mend: string } => {
  const sql = `update behalf.${table} set ${column} = set_byte(${column}, ${byte}, get_byte(${column}, ${byte}) # 64) where log_id = 1 and ${where}`;
  return { change: sql, mend: sql };
};

test('a flipped bit in any entry is found and its index named', async (t) => {
  const [log] = await publishedLog(t, 600);
  for (const index of [0, 1, 255, 256, 511, 512, 599]) {
    await found(log, flip('entry', 'bytes', `leaf_index = ${index}`, 40), { kind: 'entry', leafIndex: BigInt(index) });
  }
  await log.sound(600);
});

test('every tile tampered with is found: any hash, of any level, full or partial', async (t) => {
  const [log] = await publishedLog(t, 600);
  for (const [tile, width] of [
    [0, 256],
    [1, 256],
    [2, 88],
  ] as const) {
    for (const at of [0, 1, Math.floor(width / 2), width - 1]) {
      const expected: Partial<Difference> = { kind: 'entry', leafIndex: BigInt(256 * tile + at) };
      const change = flipHash(0, tile, at, 31);
      await found(log, { change, mend: change }, expected);
    }
  }
  for (const at of [0, 1]) {
    const expected: Partial<Difference> = { kind: 'tile', leafIndex: BigInt(256 * at) };
    await found(log, flip('tile', 'hashes', 'level = 1 and tile_index = 0', 32 * at), expected);
  }
  await log.sound(600);
});

test('an entry rewritten together with its leaf hash is found in the tile above', async (t) => {
  const [log] = await publishedLog(t, 300);
  await log.tamper(
    `update behalf.entry set bytes = set_byte(bytes, 9, 65), leaf = null where log_id = 1 and leaf_index = 7`,
  );
  const { firstDifference } = await log.fsck();
  assert.deepEqual([firstDifference?.kind, firstDifference?.leafIndex], ['tile', 0n]);
});

test('a missing, repeated, swapped or surplus row is found', async (t) => {
  const [log] = await publishedLog(t, 20);
  const move = (from: number, to: number) =>
    `update behalf.entry set leaf_index = ${to} where log_id = 1 and leaf_index = ${from}`;
  await found(log, { change: move(7, 20), mend: move(20, 7) }, { kind: 'entry', leafIndex: 7n });
  const swap = `update behalf.entry e set bytes = o.bytes from behalf.entry o
    where e.log_id = 1 and o.log_id = 1 and e.leaf_index in (3, 4) and o.leaf_index = 7 - e.leaf_index`;
  await found(log, { change: swap, mend: swap }, { kind: 'entry', leafIndex: 3n });
  await found(
    log,
    {
      change: `insert into behalf.entry values (1, 21, '\\x7b7d'::bytea)`,
      mend: 'delete from behalf.entry where log_id = 1 and leaf_index = 21',
    },
    { kind: 'entry', leafIndex: 21n },
  );
  await found(
    log,
    {
      change: `insert into behalf.tile select 1, 1, 0, leaf from behalf.entry where log_id = 1 and leaf_index = 0`,
      mend: 'delete from behalf.tile where log_id = 1',
    },
    { kind: 'tile' },
  );
  await log.sound(20);
});

test('a root, checkpoint or remembered id that does not agree with the entries is found', async (t) => {
  const [log, ledger] = await publishedLog(t, 20);
  await found(log, flip('log', 'root', 'true', 0), { kind: 'root' });
  await found(log, flip('checkpoint', 'root', 'size = 20', 0), { kind: 'checkpoint' });
  const rename = (from: string, to: string) =>
    `update behalf.checkpoint set note = replace(note, '${from}', '${to}') where log_id = 1 and size = 20`;
  await found(log, { change: rename('\n20\n', '\n21\n'), mend: rename('\n21\n', '\n20\n') }, { kind: 'checkpoint' });
  const elsewhere = `update behalf.id_bucket set offsets = (select array_agg(i + 100) from generate_series(1, octet_length(ids) / 16) i) where log_id = 1 and first_index = 0`;
  const back = 'update behalf.id_bucket set offsets = null where log_id = 1 and first_index = 0';
  await found(log, { change: elsewhere, mend: back }, { kind: 'sequenced_id', leafIndex: 0n });
  await found(log, flip('id_bucket', 'ids', 'first_index = 0', 15), { kind: 'sequenced_id', leafIndex: 0n });
  await found(
    log,
    {
      change: `insert into behalf.id_bucket (log_id, day, bucket, first_index, ids)
               select log_id, day, 0, 3, uuid_send(gen_random_uuid()) from behalf.id_bucket where log_id = 1 and first_index = 0`,
      mend: 'delete from behalf.id_bucket where log_id = 1 and bucket = 0',
    },
    { kind: 'sequenced_id' },
  );
  await log.sound(20, ledger.verifierKey);
});

test('a checkpoint signed by another key is found when the key is given', async (t) => {
  const [log] = await publishedLog(t, 5);
  const [, stranger] = await publishedLog(t, 1);
  const { ok, firstDifference } = await log.fsck(stranger.verifierKey);
  assert.deepEqual([ok, firstDifference?.kind], [false, 'checkpoint']);
});

test('fsck that examined nothing is not sound', async (t) => {
  const [log] = await publishedLog(t, 5);
  const none = await fsck({ database: log.database, logId: 2 });
  assert.deepEqual([none.ok, none.entries, none.firstDifference?.kind], [false, 0n, 'log']);
  await log.tamper('delete from behalf.entry where log_id = 1');
  const emptied = await log.fsck();
  assert.deepEqual([emptied.ok, emptied.entries, emptied.firstDifference?.kind], [false, 0n, 'entry']);
});

test('a checkpoint of a tree larger than the log is found', async (t) => {
  const [log, ledger] = await publishedLog(t, 20);
  await ledger.close();
  const shift = (by: string) => `update behalf.checkpoint set size = size ${by} where log_id = 1 and size >= 20`;
  await found(log, { change: shift('+ 5'), mend: shift('- 5') }, { kind: 'checkpoint' });
});

test('progress is told up to the end', async (t) => {
  const [log] = await publishedLog(t, 700);
  const told: bigint[][] = [];
  await fsck({ database: log.database, logId: 1, onProgress: (...numbers) => told.push(numbers) });
  assert.deepEqual(told.at(-1), [700n, 700n]);
});

test('threads find what one finds: the same counts of a sound log, and the lowest of several differences', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const sequencer = new Sequencer({ database: log.database, logId: 1 });
  const size = 40_000; // three ranges
  for (let left = size; left > 0; left -= 4000) {
    await sequencer.append(
      Array.from({ length: 4000 }, () => {
        const id = newObservationId(Date.now());
        return { id, bytes: Buffer.from(`{"id":"${id}"}`) };
      }),
    );
    await ledger.publish();
  }
  await sequencer.close();
  const check = (cores: number) => fsck({ database: log.database, logId: 1, verifierKey: ledger.verifierKey, cores });
  const sound = { ok: true, entries: BigInt(size), checkpoints: 11n };
  assert.deepEqual(await check(1), sound);
  assert.deepEqual(await check(3), sound);
  for (const index of [35_001, 17_000]) {
    await log.tamper(
      `update behalf.entry set bytes = set_byte(bytes, 9, 65) where log_id = 1 and leaf_index = ${index}`,
    );
    const [one, many] = [await check(1), await check(3)];
    assert.deepEqual(many, one);
    assert.deepEqual([one.ok, one.firstDifference?.leafIndex], [false, BigInt(index)]);
  }
});

test('an entry’s end moved within its run, and a run that covers another’s entries again, are found', async (t) => {
  const [log] = await publishedLog(t, 20);
  const owner = log.database.pool('owner');
  const unseen = (sql: string) =>
    owner.query(`alter table behalf.entry_bundle disable trigger user; ${sql};
      alter table behalf.entry_bundle enable trigger user`);
  const first = async () => {
    const { firstDifference: { kind, leafIndex, says } = {} } = await log.fsck();
    return [kind, leafIndex, says];
  };
  await unseen('update behalf.entry_bundle set ends[3] = ends[3] + 1 where log_id = 1 and first_index = 0');
  assert.deepEqual((await first()).slice(0, 2), ['entry', 2n]);
  await unseen('update behalf.entry_bundle set ends[3] = ends[3] - 1 where log_id = 1 and first_index = 0');
  await unseen(`insert into behalf.entry_bundle
    select log_id, 5, ends[1:1], substring(leaves for 32), substring(bytes for ends[1]) from behalf.entry_bundle where log_id = 1`);
  assert.deepEqual(await first(), ['entry', 5n, 'entry 5 is stored twice']);
  await unseen('delete from behalf.entry_bundle where log_id = 1 and first_index = 5');
  await log.sound(20);
});
