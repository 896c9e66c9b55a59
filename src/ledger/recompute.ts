import { TILE_WIDTH, tilePath, tileWidth } from '@behalf/verify';
import type { Queryable } from '#database';
import { differs } from './difference.ts';
import { type Edge, Growth, type TileRow } from './edge.ts';
import { bytesOf, type Digest, digestLeaf, sameBytes } from './hash.ts';
import { type Run, selectRuns } from './sql/entry.ts';
import { selectTiles } from './sql/tile.ts';

const HASH_BYTES = 32;
/** Entries read at once: at 64 KiB each, 32 MiB. */
export const PAGE = 512;

export interface StoredLog {
  readonly db: Queryable; // a snapshot, so that the size is exact
  readonly logId: number;
  readonly size: bigint;
}

/**
 * Derives the tree again from the stored bytes of the next entries after `edge`, and compares every leaf and tile they
 * touch with the stored one. Returns the tree after them. Throws DifferenceFound.
 */
export async function recomputePage(log: StoredLog, edge: Edge): Promise<Edge> {
  const count = Number(min(log.size - edge.size, BigInt(PAGE)));
  const runs = await selectRuns(log.db, log.logId, edge.size, count);
  requireContiguous(runs, { from: edge.size, to: edge.size + BigInt(count), size: log.size });
  const growth = new Growth(edge);
  for (const run of runs) for (const leaf of leavesOf(run)) growth.add(leaf);
  const grown = growth.finish();
  await compareTiles(
    log,
    grown.tiles.filter(({ level }) => level > 0),
  );
  return grown.edge;
}

/** The runs follow each other from one index to another. */
export function requireContiguous(
  runs: readonly Run[],
  { from, to, size }: Record<'from' | 'to' | 'size', bigint>,
): void {
  let next = from;
  for (const { firstIndex, ends } of runs) {
    if (firstIndex > next) break;
    if (firstIndex < next) {
      differs({ kind: 'entry', leafIndex: firstIndex, says: `entry ${firstIndex} is stored twice` });
    }
    next += BigInt(ends.length);
  }
  if (next < to) differs({ kind: 'entry', leafIndex: next, says: `entry ${next} is missing; the log has ${size}` });
}

/** The leaf hashes of a run's bytes, each the same as the stored one. Throws DifferenceFound. */
export function leavesOf({ firstIndex, ends, leaves, bytes }: Run): Digest[] {
  const computed = ends.map((end, i) => digestLeaf(bytes.subarray(ends[i - 1] ?? 0, end)));
  const all = bytesOf(computed);
  if (sameBytes(all, leaves)) return computed;
  const place = computed.findIndex((_, i) => {
    const [from, to] = [HASH_BYTES * i, HASH_BYTES * (i + 1)];
    return !sameBytes(all.subarray(from, to), leaves.subarray(from, to));
  });
  const leafIndex = firstIndex + BigInt(Math.max(0, place));
  const path = tilePath(0, leafIndex / BigInt(TILE_WIDTH));
  return differs({
    kind: 'entry',
    leafIndex,
    says: `entry ${leafIndex} does not hash to its leaf in ${path}: one of them was changed`,
  });
}

/** Compares tiles above level 0, as far as they were computed, with the stored ones. Throws DifferenceFound. */
export async function compareTiles(log: StoredLog, computed: readonly TileRow[]): Promise<void> {
  const rows = await selectTiles(log.db, log.logId, computed);
  const stored = new Map(rows.map((row) => [`${row.level}/${row.index}`, row.hashes]));
  for (const tile of computed.toSorted((a, b) => a.level - b.level || Number(a.index - b.index))) {
    compareTile(log.size, tile, stored.get(`${tile.level}/${tile.index}`));
  }
}

function compareTile(size: bigint, { level, index, hashes }: TileRow, stored: Uint8Array | undefined): void {
  const path = tilePath(level, index);
  const width = tileWidth(level, index, size);
  const leafAt = (position: number): bigint => (index * BigInt(TILE_WIDTH) + BigInt(position)) << BigInt(8 * level);
  if (stored?.length !== width * HASH_BYTES) {
    const found = (stored?.length ?? 0) / HASH_BYTES;
    differs({ kind: 'tile', leafIndex: leafAt(0), says: `${path}: expected ${width} hashes, found ${found}` });
  }
  for (let i = 0; i < hashes.length / HASH_BYTES; i += 1) {
    const at = i * HASH_BYTES;
    if (sameBytes(hashes.subarray(at, at + HASH_BYTES), stored.subarray(at, at + HASH_BYTES))) continue;
    differs({ kind: 'tile', leafIndex: leafAt(i), says: `${path}: hash ${i} is not that of the tile below it` });
  }
}

export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
