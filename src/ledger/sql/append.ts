import type { Queryable } from '#database';
import type { TileRow } from '../edge.ts';

/** Which of these observation ids are sequenced already, and where. */
export async function selectSequenced(
  db: Queryable,
  logId: number,
  ids: readonly string[],
): Promise<Map<string, bigint>> {
  const { rows } = await db.query<{ id: string; at: string }>(
    `select observation_id as id, leaf_index as at
     from behalf.sequenced_id where log_id = $1::int and observation_id = any($2::uuid[])`,
    [logId, ids],
  );
  return new Map(rows.map((row) => [row.id, BigInt(row.at)]));
}

/** Entries get the indexes from `first` on, in order. */
export async function insertEntries(
  db: Queryable,
  logId: number,
  first: bigint,
  entries: readonly Uint8Array[],
): Promise<void> {
  await db.query(
    `insert into behalf.entry (log_id, leaf_index, bytes)
     select $1::int, $2::bigint + e.at - 1, e.bytes from unnest($3::bytea[]) with ordinality as e(bytes, at)`,
    [logId, first, entries],
  );
}

export async function insertSequenced(
  db: Queryable,
  logId: number,
  first: bigint,
  ids: readonly string[],
): Promise<void> {
  await db.query(
    `insert into behalf.sequenced_id (log_id, observation_id, leaf_index)
     select $1::int, e.id, $2::bigint + e.at - 1 from unnest($3::uuid[]) with ordinality as e(id, at)`,
    [logId, first, ids],
  );
}

export async function upsertTiles(db: Queryable, logId: number, tiles: readonly TileRow[]): Promise<void> {
  await db.query(
    `insert into behalf.tile (log_id, level, tile_index, hashes)
     select $1::int, t.level, t.tile_index, t.hashes
     from unnest($2::smallint[], $3::bigint[], $4::bytea[]) as t(level, tile_index, hashes)
     on conflict (log_id, level, tile_index) do update set hashes = excluded.hashes`,
    [logId, tiles.map((t) => t.level), tiles.map((t) => t.index), tiles.map((t) => t.hashes)],
  );
}

/** Makes sure partitions exist up to this index, which may be at most 2^24 beyond the log's size. */
export async function extendEntry(db: Queryable, logId: number, upTo: bigint): Promise<void> {
  await db.query('select behalf.extend_entry($1::int, $2::bigint)', [logId, upTo]);
}
