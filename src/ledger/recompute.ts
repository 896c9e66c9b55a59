import { TILE_WIDTH, tilePath, tileWidth } from '@behalf/verify';
import type { Queryable } from '#database';
import { differs } from './difference.ts';
import { type Edge, Growth, type TileRow } from './edge.ts';
import { hashLeaf, sameBytes } from './hash.ts';
import { type EntryRow, selectEntries } from './sql/entry.ts';
import { selectTiles } from './sql/tile.ts';

const HASH_BYTES = 32;
/** Entries read at once: at 64 KiB each, 32 MiB. */
export const PAGE = 512;

export interface StoredLog {
  readonly db: Queryable; // a snapshot, so that the size is exact
  readonly logId: number;
  readonly size: bigint;
}

/** A page of entries as they are stored, and the tree after them. */
export interface Recomputed {
  readonly entries: readonly EntryRow[];
  readonly edge: Edge;
  readonly root: Uint8Array;
}

/**
 * Derives the tree again from the stored bytes of the next entries after `edge`, and compares every tile they touch with
 * the stored one. `eachSize` sees the root after each leaf it asks for. Throws DifferenceFound.
 */
export async function recomputePage(
  log: StoredLog,
  edge: Edge,
  eachSize: (size: bigint, root: () => Uint8Array) => void = () => undefined,
): Promise<Recomputed> {
  const entries = await selectEntries(log.db, log.logId, edge.size, Number(min(log.size - edge.size, BigInt(PAGE))));
  requireContiguous(entries, edge.size, log.size);
  const growth = new Growth(edge);
  for (const { bytes } of entries) {
    growth.add(hashLeaf(bytes));
    eachSize(growth.size, () => growth.root());
  }
  const grown = growth.finish();
  await compareTiles(log, grown.tiles);
  return { entries, edge: grown.edge, root: grown.root };
}

function requireContiguous(entries: readonly EntryRow[], from: bigint, size: bigint): void {
  const expected = Number(min(size - from, BigInt(PAGE)));
  for (let i = 0; i < expected; i += 1) {
    const leafIndex = from + BigInt(i);
    if (entries[i]?.leafIndex === leafIndex) continue;
    differs({ kind: 'entry', leafIndex, says: `entry ${leafIndex} is missing; the log has ${size}` });
  }
}

async function compareTiles(log: StoredLog, computed: readonly TileRow[]): Promise<void> {
  const rows = await selectTiles(log.db, log.logId, computed);
  const stored = new Map(rows.map((row) => [`${row.level}/${row.index}`, row.hashes]));
  // Level 0 first: where an entry was changed, it is the entry that is named.
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
    const leafIndex = leafAt(i);
    if (level === 0) {
      differs({
        kind: 'entry',
        leafIndex,
        says: `entry ${leafIndex} does not hash to its leaf in ${path}: one of them was changed`,
      });
    }
    differs({ kind: 'tile', leafIndex, says: `${path}: hash ${i} is not that of the tile below it` });
  }
}

export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
