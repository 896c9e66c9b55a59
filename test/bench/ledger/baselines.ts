import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, transaction } from '#database';
import { binaryArray } from '../../../src/ledger/binary-array.ts';
import { BinaryRows, copyIn } from '../copy-in.ts';
import { ENTRY_BYTES } from './entries.ts';
import { measure, percentile, type Rate } from './measure.ts';

const BATCH = 4096;
const RUN = 256;

/** The yardstick: entries, one row each, into a table of the same columns and key as a ledger would have; nothing else. */
export function bareCopy(database: Database, seconds: number): Promise<Rate> {
  const columns =
    'log_id int not null, leaf_index bigint not null, bytes bytea not null, primary key (log_id, leaf_index)';
  return copyFor(database, seconds, columns, (first) => {
    const rows = new BinaryRows({ rows: BATCH, fields: 3, dataBytes: BATCH * (12 + ENTRY_BYTES) });
    for (let i = 0; i < BATCH; i += 1)
      rows
        .row()
        .int4(1)
        .int8(first + BigInt(i))
        .bytes(entryAt(i));
    return rows;
  });
}

/** The same for the ledger's own rows: runs of 256 entries with where they end and their leaves. */
export function bareRunCopy(database: Database, seconds: number): Promise<Rate> {
  const columns =
    'log_id int not null, first_index bigint not null, ends int[] not null, leaves bytea not null, bytes bytea not null, primary key (log_id, first_index)';
  const ends = binaryArray(
    'int4',
    Array.from({ length: RUN }, (_, i) => ENTRY_BYTES * (i + 1)),
  );
  const leaves = randomBytes(32 * RUN);
  const runs = BATCH / RUN;
  return copyFor(database, seconds, columns, (first) => {
    const dataBytes = runs * (12 + ends.length + leaves.length + RUN * ENTRY_BYTES);
    const rows = new BinaryRows({ rows: runs, fields: 5, dataBytes });
    for (let i = 0; i < runs; i += 1) {
      const bytes = POOL.subarray(i * RUN * ENTRY_BYTES, (i + 1) * RUN * ENTRY_BYTES);
      rows
        .row()
        .int4(1)
        .int8(first + BigInt(i * RUN))
        .bytes(ends)
        .bytes(leaves)
        .bytes(bytes);
    }
    return rows;
  });
}

const POOL = randomBytes(BATCH * ENTRY_BYTES);
const entryAt = (i: number): Uint8Array => POOL.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);

async function copyFor(
  database: Database,
  seconds: number,
  columns: string,
  rowsFrom: (first: bigint) => BinaryRows,
): Promise<Rate> {
  const owner = database.pool('owner');
  await owner.query(`create table bench_entry (${columns})`);
  await owner.query('alter table bench_entry alter column bytes set storage external');
  let next = 0n;
  const rate = await measure(seconds, 1, async () => {
    const rows = rowsFrom(next);
    next += BigInt(BATCH);
    await transaction(owner, (client) => copyIn(client, 'copy bench_entry from stdin (format binary)', rows));
    return BATCH;
  });
  await owner.query('drop table bench_entry');
  return rate;
}

/** Half of the times that 8 KiB take to be on this disk are shorter. */
export async function fsyncMs(folder: string): Promise<number> {
  const file = await open(join(folder, 'fsync'), 'w');
  const times: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    await file.write(randomBytes(8192));
    const before = performance.now();
    await file.datasync();
    times.push(performance.now() - before);
  }
  await file.close();
  return percentile(times, 0.5);
}
