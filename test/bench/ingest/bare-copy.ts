import { type Database, transaction } from '#database';
import { BinaryRows, copyIn } from '../copy-in.ts';

const ROWS = 4096;

/** Rows per second of bare binary COPY of these entries, 4,096 rows in each transaction, one connection, for a while. */
export async function bareCopy(database: Database, entries: readonly Uint8Array[], seconds: number): Promise<number> {
  const owner = database.pool('owner');
  await owner.query(
    'create table bench_entry (log_id int not null, leaf_index bigint not null, bytes bytea not null, primary key (log_id, leaf_index))',
  );
  const batch = Array.from({ length: ROWS }, (_, i) => entries[i % entries.length] ?? new Uint8Array(1));
  const dataBytes = batch.reduce((sum, bytes) => sum + 12 + bytes.length, 0);
  const started = performance.now();
  let next = 0n;
  while (performance.now() - started < seconds * 1000) {
    const rows = new BinaryRows({ rows: ROWS, fields: 3, dataBytes });
    for (const bytes of batch) rows.row().int4(1).int8(next++).bytes(bytes);
    await transaction(owner, (client) => copyIn(client, 'copy bench_entry from stdin (format binary)', rows));
  }
  const perSecond = Number(next) / ((performance.now() - started) / 1000);
  await owner.query('drop table bench_entry');
  return perSecond;
}
