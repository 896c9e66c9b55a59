import { EMPTY_ROOT, rightEdge, TILE_WIDTH } from '@behalf/verify';
import { LedgerError } from './errors.ts';
import { bytesOf, type Digest, digestNode, digestOf } from './hash.ts';

const HASH_BYTES = 32;

/** One tile as a batch leaves it: a prefix of the full tile, at least one hash wide. */
export interface TileRow {
  readonly level: number; // 0..7
  readonly index: bigint;
  readonly hashes: Uint8Array;
}

/**
 * The tree's right edge, which is all that appending needs: per level the hashes of the unfinished tile, and the roots
 * of the perfect subtrees the size is made of, largest first. Immutable: a batch that fails leaves no trace.
 */
export interface Edge {
  readonly size: bigint;
  readonly tiles: readonly (readonly Digest[])[];
  readonly peaks: readonly Peak[];
}
/** The root of a perfect subtree of 2^height leaves. */
export interface Peak {
  readonly height: number;
  readonly hash: Digest;
}

export interface Grown {
  readonly edge: Edge;
  readonly root: Uint8Array;
  readonly tiles: readonly TileRow[]; // every tile the batch touched, as it stands after it
}

export const EMPTY_EDGE: Edge = { size: 0n, tiles: [], peaks: [] };

/** Adds leaf hashes (RFC 6962 section 2.1) to the tree. Pure; throws TypeError on a hash that is not 32 bytes. */
export const appendLeaves = (edge: Edge, leaves: readonly Uint8Array[]): Grown =>
  appendDigests(edge, leaves.map(digestOf));

/** `appendLeaves` for hashes as the hash function left them. */
export function appendDigests(edge: Edge, leaves: readonly Digest[]): Grown {
  const growth = new Growth(edge);
  for (const leaf of leaves) growth.add(leaf);
  return growth.finish();
}

/** The root hash of the tree that ends at this edge (RFC 6962 section 2.1). */
export const rootOfEdge = (edge: Edge): Uint8Array => rootOfPeaks(edge.peaks);

/** The root over perfect subtrees, largest first, that make up a tree. */
export function rootOfPeaks(peaks: readonly Peak[]): Uint8Array {
  let root: Digest | undefined;
  for (const peak of peaks.toReversed()) root = root === undefined ? peak.hash : digestNode(peak.hash, root);
  return root === undefined ? EMPTY_ROOT : bytesOf([root]);
}

/**
 * Rebuilds the edge from the stored tiles that `rightEdge(size)` names, which may have grown since. Throws LedgerError
 * `corrupt` when one is missing or too short; the caller checks the root.
 */
export function edgeFromTiles(size: bigint, rows: readonly TileRow[]): Edge {
  const tiles: Digest[][] = [];
  for (const { level, index, width } of rightEdge(size)) {
    const row = rows.find((each) => each.level === level && each.index === index);
    if (row === undefined || row.hashes.length < width * HASH_BYTES) {
      throw new LedgerError(
        'corrupt',
        `tile ${level}/${index}: expected ${width} hashes for tree size ${size}, found ${(row?.hashes.length ?? 0) / HASH_BYTES}; run behalf fsck`,
      );
    }
    tiles[level] = splitHashes(row.hashes, width);
  }
  const levels = Array.from(tiles, (hashes) => hashes ?? []);
  return {
    size,
    tiles: levels,
    peaks: levels.toReversed().flatMap((hashes, i) => peaksOf(hashes, (levels.length - 1 - i) * 8)),
  };
}

const splitHashes = (bytes: Uint8Array, count: number): Digest[] =>
  Array.from({ length: count }, (_, i) => digestOf(bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)));

/** The perfect subtrees that a tile's hashes (1..255 of them) amount to, largest first. */
export function peaksOf(hashes: readonly Digest[], baseHeight: number): Peak[] {
  const peaks: Peak[] = [];
  for (const hash of hashes) carry(peaks, { height: baseHeight, hash });
  return peaks;
}

/** Binary carry: while the last peak is as high as the new one, they become one. `formed` sees what they become. */
function carry(peaks: Peak[], node: Peak, formed?: (height: number, hash: Digest) => void): void {
  let { height, hash } = node;
  for (let last = peaks.at(-1); last !== undefined && last.height === height; last = peaks.at(-1)) {
    peaks.pop();
    hash = digestNode(last.hash, hash);
    height += 1;
    formed?.(height, hash);
  }
  peaks.push({ height, hash });
}

/** A tree being added to, leaf by leaf. The edge it was made from is not touched. */
export class Growth {
  #size: bigint;
  readonly #tiles: Digest[][];
  readonly #peaks: Peak[];
  readonly #full: TileRow[] = [];
  readonly #touched = new Set<number>();

  constructor(edge: Edge) {
    this.#size = edge.size;
    this.#tiles = edge.tiles.map((hashes) => [...hashes]);
    this.#peaks = [...edge.peaks];
  }

  /** Throws TypeError on a hash that is not 32 bytes. */
  add(leaf: Digest): void {
    if (leaf.length !== HASH_BYTES) throw new TypeError('appendLeaves: a leaf hash has 32 bytes');
    this.#size += 1n;
    this.#push(0, leaf);
    carry(this.#peaks, { height: 0, hash: leaf }, this.#formed);
  }

  /** Adds a perfect subtree of 256 leaves, where the size is a multiple of 256; its level-0 tile is its maker's matter. */
  addTile(root: Digest): void {
    if (this.#size % BigInt(TILE_WIDTH) !== 0n) throw new TypeError('addTile: a tile begins at a multiple of 256');
    this.#size += BigInt(TILE_WIDTH);
    this.#push(1, root);
    carry(this.#peaks, { height: 8, hash: root }, this.#formed);
  }

  readonly #formed = (height: number, hash: Digest): void => {
    if (height % 8 === 0) this.#push(height / 8, hash);
  };

  get size(): bigint {
    return this.#size;
  }

  /** The root hash after the leaves added so far, and after the smaller subtrees that follow, if any. */
  root(rest: readonly Peak[] = []): Uint8Array {
    return rootOfPeaks([...this.#peaks, ...rest]);
  }

  /** The tree after all leaves; ends the growth. */
  finish(): Grown {
    const partial = [...this.#touched]
      .filter((level) => (this.#tiles[level]?.length ?? 0) > 0)
      .map((level) => this.#row(level, this.#size >> BigInt(8 * (level + 1))));
    const edge = { size: this.#size, tiles: this.#tiles, peaks: this.#peaks };
    return { edge, root: this.root(), tiles: [...this.#full, ...partial] };
  }

  #push(level: number, hash: Digest): void {
    this.#tiles[level] ??= [];
    this.#tiles[level].push(hash);
    this.#touched.add(level);
    if (this.#tiles[level].length === TILE_WIDTH) {
      this.#full.push(this.#row(level, (this.#size >> BigInt(8 * (level + 1))) - 1n));
      this.#tiles[level] = [];
    }
  }

  #row(level: number, index: bigint): TileRow {
    return { level, index, hashes: bytesOf(this.#tiles[level] ?? []) };
  }
}
