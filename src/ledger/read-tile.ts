import { type Tile, tilePath } from '@behalf/verify';
import type { Queryable } from '#database';
import { LedgerError } from './errors.ts';
import { selectTiles } from './sql/tile.ts';

/** The first `width` hashes of a stored tile: a partial tile is a prefix of the full one. Throws LedgerError `corrupt`. */
export async function readTile(db: Queryable, logId: number, tile: Tile): Promise<Uint8Array> {
  const [row] = await selectTiles(db, logId, [tile]);
  const hashes = row?.hashes.subarray(0, tile.width * 32);
  if (hashes?.length === tile.width * 32) return hashes;
  throw new LedgerError(
    'corrupt',
    `${tilePath(tile.level, tile.index)}: expected ${tile.width} hashes, found ${(row?.hashes.length ?? 0) / 32}; run behalf fsck`,
  );
}

/** readTile for one connection, which takes one statement at a time. */
export function tilesOneByOne(db: Queryable, logId: number): (tile: Tile) => Promise<Uint8Array> {
  let before: Promise<unknown> = Promise.resolve();
  return (tile) => {
    const next = before.then(() => readTile(db, logId, tile));
    before = next.catch(() => undefined); // who asked for that tile is told
    return next;
  };
}
