import { EMPTY_ROOT } from '@behalf/verify';
import type { Database } from '#database';
import { prepareBatch } from '../../src/ledger/batch.ts';
import { EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { digestLeaf } from '../../src/ledger/hash.ts';
import { idKey, KnownIds } from '../../src/ledger/known-ids.ts';
import { appendBatch } from '../../src/ledger/sql/append.ts';
import { unguarded } from './harness.ts';

/**
 * What a database's owner can do: replaces log 1 by another that is sound in itself, triggers off. Checkpoints beyond
 * its size go, others stay.
 */
export async function rewriteLog(database: Database, entries: readonly Uint8Array[]): Promise<void> {
  const ids = entries.map((bytes) => idKey(idOf(bytes)));
  const known = new KnownIds();
  known.learn(known.missing(ids), []);
  const batch = entries.flatMap((bytes, i) => (ids[i] ? [{ bytes, leaf: digestLeaf(bytes), id: ids[i] }] : []));
  const { rows } = prepareBatch(batch, { edge: EMPTY_EDGE, root: EMPTY_ROOT }, known);
  await unguarded(database, async (owner) => {
    for (const table of ['entry', 'entry_bundle', 'id_bucket', 'tile'])
      await owner.query(`delete from behalf.${table} where log_id = 1`);
    await owner.query('delete from behalf.checkpoint where log_id = 1 and size > $1::bigint', [entries.length]);
    await owner.query('update behalf.log set size = 0, root = $1::bytea where log_id = 1', [EMPTY_ROOT]);
    if (rows !== undefined) await appendBatch(owner, 1, rows);
    await owner.query('insert into behalf.entry select * from behalf.entry_view where log_id = 1');
  });
}

const idOf = (bytes: Uint8Array): string => JSON.parse(Buffer.from(bytes).toString()).id;
