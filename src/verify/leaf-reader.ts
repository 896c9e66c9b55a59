import type { LogClient } from './log-client.ts';
import { readEntries, readTile } from './log-resources.ts';
import { TILE_WIDTH, tilePath, tileWidth } from './tile.ts';
import { hashAt } from './tile-hashes.ts';
import { HASH_BYTES, leafHash, sameHash } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

/** The leaf hashes of bundle `index` of a tree of `size`, each computed from the entry's bytes. */
export type LeafReader = (index: bigint, size: bigint) => Promise<Uint8Array>;

/**
 * Reads a bundle and the level-0 tile beside it, and hashes and compares every entry. Throws VerificationError
 * `entry_mismatch`, naming the first that differs, and what reading throws.
 */
export function leafReader(client: LogClient): LeafReader {
  return async (index, size) => {
    const width = tileWidth(0, index, size);
    const tile = { level: 0, index, width };
    const reading = readTile(client, tile);
    reading.catch(() => undefined); // told below; where the entries cannot be had either, they say more
    const entries = await readEntries(client, index, width);
    const served = await reading;
    const leaves = new Uint8Array(width * HASH_BYTES);
    for (const [i, entry] of entries.entries()) leaves.set(leafHash(entry), i * HASH_BYTES);
    const i = firstDifference(leaves, served);
    if (i === undefined) return leaves;
    const leaf = index * BigInt(TILE_WIDTH) + BigInt(i);
    throw new VerificationError(
      'entry_mismatch',
      `entry ${leaf}: its bytes do not hash to the leaf in ${tilePath(0, index, width)}`,
      { index: leaf },
    );
  };
}

/** The first of the 32-byte hashes that differs. */
export function firstDifference(computed: Uint8Array, served: Uint8Array): number | undefined {
  for (let i = 0; i * HASH_BYTES < computed.length; i += 1) {
    if (!sameHash(hashAt(computed, i), hashAt(served, i))) return i;
  }
  return undefined;
}
