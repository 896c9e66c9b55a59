import type { Queryable } from '#database';
import type { TileRow } from '../edge.ts';

/**
 * The stored hashes of these tiles, whole; those that are not there are left out. Level 0 is the leaves beside the entries,
 * one run after the other: where a run is missing, fewer.
 */
export async function selectTiles(
  db: Queryable,
  logId: number,
  wanted: readonly Pick<TileRow, 'level' | 'index'>[],
): Promise<TileRow[]> {
  const { rows } = await db.query<{ level: number; index: string; hashes: Buffer }>({
    name: 'behalf_tiles',
    text: `select t.level, t.tile_index as index, t.hashes from behalf.tile t
           join unnest($2::smallint[], $3::bigint[]) as w(level, tile_index) using (level, tile_index)
           where t.log_id = $1::int
           union all
           select 0, w.tile_index, h.hashes
           from unnest($2::smallint[], $3::bigint[]) as w(level, tile_index) cross join lateral (
             select string_agg(b.leaves, '' order by b.first_index) as hashes from behalf.entry_bundle b
             where b.log_id = $1::int and b.first_index >= 256 * w.tile_index and b.first_index < 256 * (w.tile_index + 1)
           ) h
           where w.level = 0 and h.hashes is not null`,
    values: [logId, wanted.map((w) => w.level), wanted.map((w) => w.index)],
  });
  return rows.map((row) => ({ ...row, index: BigInt(row.index) }));
}

/** The first tile of a log above level 0 that its size has no place for: beyond the tree, or wider than it. */
export async function selectTilesBeyond(
  db: Queryable,
  logId: number,
  size: bigint,
): Promise<Pick<TileRow, 'level' | 'index'>[]> {
  const { rows } = await db.query<{ level: number; index: string }>(
    `select level, tile_index as index from behalf.tile
     where log_id = $1::int
       and tile_index * 256 + octet_length(hashes) / 32 > trunc($2::numeric / 256::numeric ^ level)
     order by level, tile_index limit 1`,
    [logId, size],
  );
  return rows.map((row) => ({ level: row.level, index: BigInt(row.index) }));
}
