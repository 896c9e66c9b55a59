import type { Database } from '#database';
import { appendLeaves, EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { copyEntries, copySequenced, upsertTiles } from '../../src/ledger/sql/append.ts';
import { unguarded } from './harness.ts';

/**
 * What a database's owner can do: replaces log 1 by another that is sound in itself, triggers off. Checkpoints beyond
 * its size go, others stay.
 */
export async function rewriteLog(database: Database, entries: readonly Uint8Array[]): Promise<void> {
  const { root, tiles } = appendLeaves(EMPTY_EDGE, entries.map(hashLeaf));
  await unguarded(database, async (owner) => {
    for (const table of ['entry', 'sequenced_id', 'tile'])
      await owner.query(`delete from behalf.${table} where log_id = 1`);
    await owner.query('delete from behalf.checkpoint where log_id = 1 and size > $1::bigint', [entries.length]);
    await copyEntries(owner, 1, 0n, entries);
    await copySequenced(owner, 1, 0n, entries.map(idOf));
    await upsertTiles(owner, 1, tiles);
    const head = [entries.length, root];
    await owner.query('update behalf.log set size = $1::bigint, root = $2::bytea where log_id = 1', head);
  });
}

const idOf = (bytes: Uint8Array): string => JSON.parse(Buffer.from(bytes).toString()).id;
