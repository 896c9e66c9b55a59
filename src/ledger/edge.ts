import { EMPTY_ROOT, rightEdge, TILE_WIDTH } from '@behalf/verify';
import { LedgerError } from './errors.ts';
import { hashNode } from './hash.ts';

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
  readonly tiles: readonly (readonly Uint8Array[])[];
  readonly peaks: readonly { readonly height: number; readonly hash: Uint8Array }[];
}

export interface Grown {
  readonly edge: Edge;
  readonly root: Uint8Array;
  readonly tiles: readonly TileRow[]; // every tile the batch touched, as it stands after it
}

export const EMPTY_EDGE: Edge = { size: 0n, tiles: [], peaks: [] };

/** Adds leaf hashes (RFC 6962 section 2.1) to the tree. Pure; throws TypeError on a hash that is not 32 bytes. */
export function appendLeaves(edge: Edge, leaves: readonly Uint8Array[]): Grown {
  const growth = new Growth(edge);
  for (const leaf of leaves) growth.add(leaf);
  return growth.finish();
}

/** The root hash of the tree that ends at this edge (RFC 6962 section 2.1). */
export const rootOfEdge = (edge: Edge): Uint8Array => rootOfPeaks(edge.peaks);

function rootOfPeaks(peaks: Edge['peaks']): Uint8Array {
  let root: Uint8Array | undefined;
  for (const peak of peaks.toReversed()) root = root === undefined ? peak.hash : hashNode(peak.hash, root);
  return root ?? EMPTY_ROOT;
}

/**
 * Rebuilds the edge from the stored tiles that `rightEdge(size)` names, which may have grown since. Throws LedgerError
 * `corrupt` when one is missing or too short; the caller checks the root.
 */
export function edgeFromTiles(size: bigint, rows: readonly TileRow[]): Edge {
  const tiles: Uint8Array[][] = [];
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

const splitHashes = (bytes: Uint8Array, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));

/** The perfect subtrees that a tile's hashes (1..255 of them) amount to, largest first. */
function peaksOf(hashes: readonly Uint8Array[], baseHeight: number): { height: number; hash: Uint8Array }[] {
  const peaks: { height: number; hash: Uint8Array }[] = [];
  for (const hash of hashes) carry(peaks, { height: baseHeight, hash }, () => {});
  return peaks;
}

/** Binary carry: while the last peak is as high as the new one, they become one. */
function carry(
  peaks: { height: number; hash: Uint8Array }[],
  node: { height: number; hash: Uint8Array },
  formed: (height: number, hash: Uint8Array) => void,
): void {
  let { height, hash } = node;
  for (let last = peaks.at(-1); last !== undefined && last.height === height; last = peaks.at(-1)) {
    peaks.pop();
    hash = hashNode(last.hash, hash);
    height += 1;
    formed(height, hash);
  }
  peaks.push({ height, hash });
}

/** A tree being added to, leaf by leaf. The edge it was made from is not touched. */
export class Growth {
  #size: bigint;
  readonly #tiles: Uint8Array[][];
  readonly #peaks: { height: number; hash: Uint8Array }[];
  readonly #full: TileRow[] = [];
  readonly #touched = new Set<number>();

  constructor(edge: Edge) {
    this.#size = edge.size;
    this.#tiles = edge.tiles.map((hashes) => [...hashes]);
    this.#peaks = [...edge.peaks];
  }

  /** Throws TypeError on a hash that is not 32 bytes. */
  add(leaf: Uint8Array): void {
    if (leaf.length !== HASH_BYTES) throw new TypeError('appendLeaves: a leaf hash has 32 bytes');
    this.#size += 1n;
    this.#push(0, leaf);
    carry(this.#peaks, { height: 0, hash: leaf }, (height, hash) => {
      if (height % 8 === 0) this.#push(height / 8, hash);
    });
  }

  get size(): bigint {
    return this.#size;
  }

  /** The root hash after the leaves added so far. */
  root(): Uint8Array {
    return rootOfPeaks(this.#peaks);
  }

  /** The tree after all leaves; ends the growth. */
  finish(): Grown {
    const partial = [...this.#touched]
      .filter((level) => (this.#tiles[level]?.length ?? 0) > 0)
      .map((level) => this.#row(level, this.#size >> BigInt(8 * (level + 1))));
    const edge = { size: this.#size, tiles: this.#tiles, peaks: this.#peaks };
    return { edge, root: this.root(), tiles: [...this.#full, ...partial] };
  }

  #push(level: number, hash: Uint8Array): void {
    this.#tiles[level] ??= [];
    this.#tiles[level].push(hash);
    this.#touched.add(level);
    if (this.#tiles[level].length === TILE_WIDTH) {
      this.#full.push(this.#row(level, (this.#size >> BigInt(8 * (level + 1))) - 1n));
      this.#tiles[level] = [];
    }
  }

  #row(level: number, index: bigint): TileRow {
    return { level, index, hashes: concat(this.#tiles[level] ?? []) };
  }
}

function concat(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [i, hash] of hashes.entries()) bytes.set(hash, i * HASH_BYTES);
  return bytes;
}
