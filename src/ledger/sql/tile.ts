import type { Queryable } from '#database';
import type { TileRow } from '../edge.ts';

/** The stored rows of these tiles, whole; those that are not there are left out. */
export async function selectTiles(
  db: Queryable,
  logId: number,
  wanted: readonly Pick<TileRow, 'level' | 'index'>[],
): Promise<TileRow[]> {
  const { rows } = await db.query<{ level: number; index: string; hashes: Buffer }>(
    `select t.level, t.tile_index as index, t.hashes from behalf.tile t
     join unnest($2::smallint[], $3::bigint[]) as w(level, tile_index) using (level, tile_index)
     where t.log_id = $1::int`,
    [logId, wanted.map((w) => w.level), wanted.map((w) => w.index)],
  );
  return rows.map((row) => ({ ...row, index: BigInt(row.index) }));
}

/** The first tiles of a log that its size has no place for: beyond the tree, or wider than it. */
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
