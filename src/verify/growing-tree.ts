import { foldPeaks } from './subtree.ts';
import { TILE_WIDTH, type Tile } from './tile.ts';
import { hashAt, peaksOfTile, perfectHash } from './tile-hashes.ts';
import { EMPTY_ROOT, HASH_BYTES } from './tree-hash.ts';

/** A tile as it must be, computed from the leaves. */
export interface GrownTile extends Tile {
  readonly hashes: Uint8Array; // 32 * width bytes
}

/** A tree that grows by level-0 tiles and keeps, of each level, only the unfinished tile: 8 KiB a level. */
export class GrowingTree {
  #full = 0n; // level-0 tiles, all full but the last
  readonly #levels: { readonly hashes: Uint8Array; width: number }[] = [];

  /** Adds the next level-0 tile, 1 to 256 leaf hashes; none may follow one that is not full. Returns the tiles it filled. */
  add(leaves: Uint8Array): GrownTile[] {
    const index = this.#full;
    if (this.#width(0) > 0) throw new TypeError('GrowingTree.add: the last tile was not full');
    for (let at = 0; at < leaves.length; at += HASH_BYTES) this.#push(0, hashAt(leaves, at / HASH_BYTES));
    if (this.#width(0) < TILE_WIDTH) return [];
    this.#full = index + 1n;
    return this.#carry();
  }

  /** The tiles that are not full, lowest first. */
  unfinished(): GrownTile[] {
    return this.#levels.flatMap((_, level) => (this.#width(level) > 0 ? [this.#grown(level)] : []));
  }

  /** The root hash so far, with further leaf hashes (at most 256, after full tiles only) counted in. */
  root(further: Uint8Array = new Uint8Array(0)): Uint8Array {
    const peaks = this.#levels.toReversed().flatMap(({ hashes, width }) => peaksOfTile(hashes, width));
    const all = [...peaks, ...peaksOfTile(further, further.length / HASH_BYTES)];
    return all.length === 0 ? EMPTY_ROOT : foldPeaks(all);
  }

  /** Takes full tiles out, lowest first, and their hash into the level above. */
  #carry(): GrownTile[] {
    const filled: GrownTile[] = [];
    for (let level = 0; this.#width(level) === TILE_WIDTH; level += 1) {
      const tile = this.#grown(level);
      filled.push(tile);
      this.#push(level + 1, perfectHash(tile.hashes));
      (this.#levels[level] as { width: number }).width = 0;
    }
    return filled;
  }

  #grown(level: number): GrownTile {
    const width = this.#width(level);
    const hashes = (this.#levels[level]?.hashes ?? new Uint8Array(0)).slice(0, width * HASH_BYTES);
    const complete = this.#full >> BigInt(8 * level);
    return { level, index: width === TILE_WIDTH ? complete - 1n : complete, width, hashes };
  }

  #width(level: number): number {
    return this.#levels[level]?.width ?? 0;
  }

  #push(level: number, hash: Uint8Array): void {
    this.#levels[level] ??= { hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES), width: 0 };
    const tile = this.#levels[level];
    tile.hashes.set(hash, tile.width * HASH_BYTES);
    tile.width += 1;
  }
}
