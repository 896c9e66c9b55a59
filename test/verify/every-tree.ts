import assert from 'node:assert/strict';
import {
  checkConsistency,
  checkInclusion,
  entryBundlePath,
  type HashReader,
  proveConsistency,
  proveInclusion,
  type Tile,
  tileHashReader,
  tilePath,
} from '@behalf/verify';
import { flipped, leafOf, levelsOf, nodeOf, numberedEntries, type ReferenceLog } from './reference-log.ts';

/** Subtree hashes of some leaves from RFC 6962 section 2.1 as written, each computed once; a smaller tree's are among them. */
export class MemoTree {
  readonly leaves: readonly Buffer[];
  readonly #known = new Map<number, Buffer>();

  constructor(leaves: readonly Buffer[]) {
    this.leaves = leaves;
  }

  hash(start: number, end: number): Buffer {
    if (end - start === 1) return this.leaves[start] as Buffer;
    const key = start * 2 ** 20 + end;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const middle = start + split(end - start);
    const hash = nodeOf(this.hash(start, middle), this.hash(middle, end));
    this.#known.set(key, hash);
    return hash;
  }

  /** PATH of RFC 6962 section 2.1.1. */
  path(index: number, start: number, end: number): Buffer[] {
    if (end - start === 1) return [];
    const middle = start + split(end - start);
    return index < middle
      ? [...this.path(index, start, middle), this.hash(middle, end)]
      : [...this.path(index, middle, end), this.hash(start, middle)];
  }

  /** SUBPROOF of RFC 6962 section 2.1.2, for the first `size` leaves. */
  subproof(size: number, start: number, end: number): Buffer[] {
    if (size === end) return start === 0 ? [] : [this.hash(start, end)];
    const middle = start + split(end - start);
    return size <= middle
      ? [...this.subproof(size, start, middle), this.hash(middle, end)]
      : [...this.subproof(size, middle, end), this.hash(start, middle)];
  }
}

const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

const readerOf =
  (tree: MemoTree): HashReader =>
  async (subtrees) =>
    subtrees.map(({ start, end }) => tree.hash(Number(start), Number(end)));

const same = (made: readonly Uint8Array[], written: readonly Buffer[]): boolean =>
  made.length === written.length && made.every((hash, i) => written[i]?.equals(hash));

/** Each proof with one hash changed, one missing at either end, one too many at either end. */
function* spoiled(proof: readonly Uint8Array[], seed: number, extra: Uint8Array): Generator<Uint8Array[]> {
  for (const [i, hash] of proof.entries()) yield proof.with(i, flipped(hash, (seed * 31 + i * 7) % 256));
  if (proof.length > 0) yield* [proof.slice(1), proof.slice(0, -1)];
  yield* [
    [extra, ...proof],
    [...proof, extra],
  ];
}

/** The leaf's proof is the specification's and holds; with anything changed it does not. Returns how many were refused. */
export async function everyInclusion(tree: MemoTree, index: number, size: number, spoil = true): Promise<number> {
  const [leaf, root] = [tree.leaves[index] as Buffer, tree.hash(0, size)];
  const proof = await proveInclusion({ index: BigInt(index), size: BigInt(size), read: readerOf(tree) });
  if (!same(proof, tree.path(index, 0, size))) assert.fail(`leaf ${index} of ${size} has another proof`);
  const given = { index: BigInt(index), size: BigInt(size), leaf, proof, root };
  checkInclusion(given);
  if (!spoil) return 0;
  const others = [...spoiled(proof, index, leaf)].map((each) => ({ ...given, proof: each }));
  const more = [
    { ...given, leaf: flipped(leaf, index % 256) },
    { ...given, root: flipped(root, index % 256) },
  ];
  const neighbour = size === 1 ? [] : [{ ...given, index: BigInt((index + 1) % size) }];
  return refuseAll([...others, ...more, ...neighbour], checkInclusion, 'inclusion');
}

/** The same for the proof from a smaller tree. */
export async function everyConsistency(tree: MemoTree, size1: number, size2: number, spoil = true): Promise<number> {
  const [root1, root2] = [tree.hash(0, size1), tree.hash(0, size2)];
  const proof = await proveConsistency({ size1: BigInt(size1), size2: BigInt(size2), read: readerOf(tree) });
  if (!same(proof, tree.subproof(size1, 0, size2))) assert.fail(`${size1} to ${size2} has another proof`);
  const given = { size1: BigInt(size1), size2: BigInt(size2), root1, root2, proof };
  checkConsistency(given);
  if (!spoil) return 0;
  const others = [...spoiled(proof, size1, root1)].map((each) => ({ ...given, proof: each }));
  const more = [
    { ...given, root1: flipped(root1, size1 % 256) },
    { ...given, root2: flipped(root2, size1 % 256) },
  ];
  return refuseAll([...others, ...more], checkConsistency, 'consistency');
}

function refuseAll<T>(all: readonly T[], check: (given: T) => void, code: string): number {
  for (const given of all) {
    try {
      check(given);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === code) continue;
      throw error;
    }
    assert.fail(`accepted, and should be refused: ${code}`);
  }
  return all.length;
}

/** Every tile of a tree, lowest first. */
export function tilesOf(log: Pick<ReferenceLog, 'leaves' | 'levels'>): Tile[] {
  return log.levels.flatMap((hashes, level) =>
    Array.from({ length: Math.ceil(hashes.length / 256) }, (_, index) => ({
      level,
      index: BigInt(index),
      width: Math.min(256, hashes.length - 256 * index),
    })),
  );
}

/**
 * No proof comes out of a forged tile. Each of the given hashes of the tile is changed, alone; then once more together with all
 * below it, so that its children agree with it (CVE-2026-56865). Returns how many forgeries were refused.
 */
export async function forgeTile(log: ReferenceLog, tile: Tile, positions: readonly number[]): Promise<number> {
  let refused = 0;
  for (const position of positions) {
    const leaf = Number((tile.index * 256n + BigInt(position)) << BigInt(8 * tile.level));
    const path = tilePath(tile.level, tile.index, tile.width);
    const alone = new Map([
      [path, flipped(log.files.get(path) as Uint8Array<ArrayBuffer>, 256 * position + (leaf % 256))],
    ]);
    for (const forged of [alone, consistentBelow(log, leaf, tile.level)]) {
      await assert.rejects(proofFrom(log, leaf, forged), (error: { code?: string }) =>
        ['tile_mismatch', 'root_mismatch'].includes(error.code ?? ''),
      );
      refused += 1;
    }
  }
  return refused;
}

function proofFrom(log: ReferenceLog, leaf: number, forged: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array[]> {
  const size = BigInt(log.size);
  const readTile = async ({ level, index, width }: Tile) => {
    const path = tilePath(level, index, width);
    return forged.get(path) ?? log.files.get(path) ?? assert.fail(`the log has no ${path}`);
  };
  return proveInclusion({ index: BigInt(leaf), size, read: tileHashReader({ size, root: log.root, readTile }) });
}

/** The bundle and the tiles over a leaf up to a level, as another entry there would have made them. */
export function consistentBelow(log: ReferenceLog, leaf: number, upTo: number): Map<string, Uint8Array<ArrayBuffer>> {
  const forged = new Map<string, Uint8Array<ArrayBuffer>>();
  const entry = Buffer.from('forged');
  forgeBundle(log, leaf, entry, forged);
  let hash: Buffer = leafOf(entry);
  for (let level = 0; level <= upTo; level += 1) {
    const place = Math.floor(leaf / 256 ** level);
    const first = place - (place % 256);
    const own = (log.levels[level] ?? []).slice(first, first + 256);
    own[place - first] = hash;
    forged.set(tilePath(level, BigInt(first / 256), own.length), new Uint8Array(Buffer.concat(own)));
    hash = levelsOf(own)[1]?.[0] ?? hash;
  }
  return forged;
}

function forgeBundle(log: ReferenceLog, leaf: number, entry: Buffer, forged: ReferenceLog['files']): void {
  const first = leaf - (leaf % 256);
  const own = numberedEntries(Math.min(256, log.size - first), first).with(leaf - first, entry);
  const bundle = own.flatMap((each) => [Buffer.of(each.length >> 8, each.length & 255), each]);
  forged.set(entryBundlePath(BigInt(first / 256), own.length), new Uint8Array(Buffer.concat(bundle)));
}
