import { TILE_WIDTH } from './tile.ts';
import { HASH_BYTES, nodeHash } from './tree-hash.ts';

/** Hash i of a tile's bytes, as a view. */
export function hashAt(tile: Uint8Array, i: number): Uint8Array {
  return tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
}

/** The hash over `count` adjacent hashes from `first`; count is a power of two. */
export function perfectHash(tile: Uint8Array, first = 0, count = TILE_WIDTH): Uint8Array {
  let row = Array.from({ length: count }, (_, i) => hashAt(tile, first + i));
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, i) =>
      nodeHash(row[2 * i] as Uint8Array, row[2 * i + 1] as Uint8Array),
    );
  }
  return (row[0] as Uint8Array).slice();
}

/** The perfect subtrees over a tile's first `width` hashes, largest first. */
export function peaksOfTile(tile: Uint8Array, width: number): Uint8Array[] {
  const peaks: Uint8Array[] = [];
  for (let [at, count] = [0, TILE_WIDTH]; count > 0; count >>= 1) {
    if ((width & count) === 0) continue;
    peaks.push(perfectHash(tile, at, count));
    at += count;
  }
  return peaks;
}
