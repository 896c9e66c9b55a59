import type { HashReader } from './prove.ts';
import { foldPeaks, type Subtree } from './subtree.ts';
import { TILE_WIDTH, type Tile, tilePath, tileWidth } from './tile.ts';
import { hashAt, peaksOfTile, perfectHash } from './tile-hashes.ts';
import { EMPTY_ROOT, HASH_BYTES, sameHash } from './tree-hash.ts';
import { malformed, VerificationError } from './verification-error.ts';

export interface TileSource {
  readonly size: bigint;
  readonly root: Uint8Array; // of the tree of this size; trusted, for instance a checkpoint's
  /** The tile's bytes, 32 times its width. Tiles are not trusted. */
  readonly readTile: (tile: Tile) => Promise<Uint8Array>;
}

/**
 * Reads subtree hashes from tiles, and returns none that does not belong to the root: every tile it reads, whole, is
 * recomputed up to the root, whether or not the wanted hash needs it. (A reader that checks only the path it used accepts
 * forged neighbours.) Throws VerificationError `tile_mismatch`, `root_mismatch` or `malformed`, and what readTile throws.
 */
export function tileHashReader({ size, root, readTile }: TileSource): HashReader {
  return async (subtrees) => {
    const wanted = closeUpwards([...subtrees.map((subtree) => placeOf(subtree, size).tile), ...rightEdge(size)], size);
    const tiles = new Map<string, Uint8Array>();
    await Promise.all([...wanted].map(async ([key, tile]) => tiles.set(key, requireWidth(tile, await readTile(tile)))));
    checkRightEdge(size, root, tiles);
    for (const tile of wanted.values()) checkAgainstParent(tile, tiles);
    return subtrees.map((subtree) => {
      const { tile, first, count } = placeOf(subtree, size);
      return perfectHash(bytesOf(tile, tiles), first, count);
    });
  };
}

/** The tiles of a tree that are not full, at most one a level, lowest first. Together they hold its peaks. */
export function rightEdge(size: bigint): Tile[] {
  const edge: Tile[] = [];
  for (let level = 0; size >> BigInt(8 * level) > 0n; level += 1) {
    const index = size >> BigInt(8 * (level + 1));
    const width = tileWidth(level, index, size);
    if (width > 0) edge.push({ level, index, width });
  }
  return edge;
}

/** Where a perfect subtree's hash comes from: `count` hashes of a tile, from `first`. */
function placeOf({ start, end }: Subtree, size: bigint): { tile: Tile; first: number; count: number } {
  const length = end - start;
  if (start < 0n || length <= 0n || end > size || (length & (length - 1n)) !== 0n || start % length !== 0n) {
    malformed(`expected a perfect subtree of the tree of size ${size}, got leaves ${start} to ${end}`);
  }
  const height = length.toString(2).length - 1;
  const level = Math.floor(height / 8);
  const position = start >> BigInt(8 * level);
  const index = position >> 8n;
  return {
    tile: { level, index, width: tileWidth(level, index, size) },
    first: Number(position & 255n),
    count: 2 ** (height % 8),
  };
}

const keyOf = ({ level, index }: Pick<Tile, 'level' | 'index'>): string => `${level}/${index}`;
const parentOf = ({ level, index }: Tile) => ({ level: level + 1, index: index >> 8n });

/** The tiles with all above them: a full tile has a parent, the others are the right edge. */
function closeUpwards(tiles: readonly Tile[], size: bigint): ReadonlyMap<string, Tile> {
  const closed = new Map<string, Tile>();
  for (const each of tiles) {
    let tile: Tile | undefined = each;
    while (tile !== undefined && !closed.has(keyOf(tile))) {
      closed.set(keyOf(tile), tile);
      const { level, index } = parentOf(tile);
      tile = tile.width < TILE_WIDTH ? undefined : { level, index, width: tileWidth(level, index, size) };
    }
  }
  return closed;
}

function checkRightEdge(size: bigint, root: Uint8Array, tiles: ReadonlyMap<string, Uint8Array>): void {
  const peaks = rightEdge(size)
    .toReversed()
    .flatMap((tile) => peaksOfTile(bytesOf(tile, tiles), tile.width));
  if (!sameHash(peaks.length === 0 ? EMPTY_ROOT : foldPeaks(peaks), root)) {
    throw new VerificationError('root_mismatch', `the right-edge tiles do not hash to the root of size ${size}`);
  }
}

function checkAgainstParent(tile: Tile, tiles: ReadonlyMap<string, Uint8Array>): void {
  if (tile.width < TILE_WIDTH) return;
  const parent = tiles.get(keyOf(parentOf(tile)));
  if (parent !== undefined && sameHash(perfectHash(bytesOf(tile, tiles)), hashAt(parent, Number(tile.index & 255n)))) {
    return;
  }
  throw new VerificationError(
    'tile_mismatch',
    `${tilePath(tile.level, tile.index)} does not hash to its place in the tile above`,
    { index: tile.index << BigInt(8 * (tile.level + 1)) },
  );
}

function requireWidth(tile: Tile, bytes: Uint8Array): Uint8Array {
  const expected = tile.width * HASH_BYTES;
  if (bytes.length === expected) return bytes;
  return malformed(`${tilePath(tile.level, tile.index, tile.width)}: expected ${expected} bytes, got ${bytes.length}`);
}

function bytesOf(tile: Tile, tiles: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const bytes = tiles.get(keyOf(tile));
  if (bytes === undefined) throw new TypeError(`tileHashReader: tile ${keyOf(tile)} was not read`);
  return bytes;
}
