import { TILE_WIDTH } from '@behalf/verify';
import { type Difference, DifferenceFound, differs } from './difference.ts';
import { type Peak, peaksOf } from './edge.ts';
import { entryId } from './entry-id.ts';
import type { Digest } from './hash.ts';
import { idKey, type KnownIds } from './known-ids.ts';
import { leavesOf, min, PAGE, requireContiguous, type StoredLog } from './recompute.ts';
import { entriesOf, type Run, selectRuns } from './sql/entry.ts';
import { selectIdBuckets } from './sql/id-bucket.ts';

/** A part of a log, to be recomputed by itself. */
export interface Range {
  readonly from: bigint; // a multiple of 256
  readonly to: bigint;
  /** Sizes in (from, to] whose root is asked for. */
  readonly sizes: readonly bigint[];
  /** From this index on, each entry's observation id is remembered. */
  readonly idsFrom: bigint;
}
/** What a range's entries come to, as far as they do not differ. */
export interface RangeResult {
  /** Roots of the full tiles of 256 leaves. */
  readonly tiles: readonly Digest[];
  /** The leaves after them. */
  readonly rest: readonly Digest[];
  /** For each size asked for, the subtrees between the last full tile and it. */
  readonly peaks: ReadonlyMap<bigint, readonly Peak[]>;
  readonly difference?: Difference;
}

/**
 * Recomputes a range from its stored bytes: that entries follow each other, hash to the leaves beside them, and are
 * remembered by their ids; and the tree over them. Up to the first difference, which is told, not thrown.
 */
export async function checkRange(log: StoredLog, range: Range, known: KnownIds): Promise<RangeResult> {
  const found = new Found(range);
  try {
    for (let from = range.from; from < range.to; from += BigInt(PAGE)) {
      const to = min(from + BigInt(PAGE), range.to);
      const runs = await selectRuns(log.db, log.logId, from, Number(to - from));
      requireContiguous(runs, { from, to, size: log.size });
      for (const run of runs) found.add(leavesOf(run));
      await learnIds(log, runs, known);
      for (const run of runs) checkIds(run, range.idsFrom, known);
    }
    return found.result();
  } catch (error) {
    if (error instanceof DifferenceFound) return found.result(error.difference);
    throw error;
  }
}

/** Tiles and what is left of them, leaf by leaf. */
export class Found {
  readonly #tiles: Digest[] = [];
  #leaves: Digest[] = [];
  readonly #peaks = new Map<bigint, readonly Peak[]>();
  readonly #range: Pick<Range, 'from' | 'sizes'>;

  constructor(range: Pick<Range, 'from' | 'sizes'>) {
    this.#range = range;
  }

  /** Leaves that follow; at most up to the end of their tile. */
  add(leaves: readonly Digest[]): void {
    this.#leaves.push(...leaves);
    if (this.#leaves.length === TILE_WIDTH) this.#closeTile();
  }

  result(difference?: Difference): RangeResult {
    this.#keepPeaks();
    const found = { tiles: this.#tiles, rest: this.#leaves, peaks: this.#peaks };
    return difference === undefined ? found : { ...found, difference };
  }

  #closeTile(): void {
    this.#keepPeaks();
    const [root] = peaksOf(this.#leaves, 0);
    if (root !== undefined) this.#tiles.push(root.hash);
    this.#leaves = [];
  }

  #keepPeaks(): void {
    const first = this.#range.from + BigInt(this.#tiles.length * TILE_WIDTH);
    for (const size of this.#range.sizes) {
      if (size <= first || size > first + BigInt(this.#leaves.length)) continue;
      this.#peaks.set(size, peaksOf(this.#leaves.slice(0, Number(size - first)), 0));
    }
  }
}

async function learnIds({ db, logId }: StoredLog, runs: readonly Run[], known: KnownIds): Promise<void> {
  known.settled(known.begin() - 1);
  const ids = runs.flatMap(entriesOf).flatMap(({ bytes }) => entryId(bytes) ?? []);
  const missing = known.missing(ids.map(idKey));
  if (missing.length > 0) known.learn(missing, await selectIdBuckets(db, logId, missing));
}

/**
 * Each entry's observation id is remembered with its index, from an index on: else a repeated observation would be stored
 * again. What was sequenced before it is beyond the window: an id that stands there and once more later was sent again
 * after the window, and is no difference. The ids' buckets must be held. Throws DifferenceFound.
 */
export function checkIds(run: Run, idsFrom: bigint, known: KnownIds): void {
  for (const { leafIndex, bytes } of entriesOf(run)) {
    const id = entryId(bytes);
    if (id === undefined) {
      differs({ kind: 'entry', leafIndex, says: `entry ${leafIndex} holds no observation id` });
    }
    if (leafIndex < idsFrom) continue;
    const at = known.find(idKey(id));
    if (at === Number(leafIndex)) continue;
    differs({
      kind: 'sequenced_id',
      leafIndex,
      says: `entry ${leafIndex}: its observation id is remembered ${at === undefined ? 'nowhere' : `at ${at}`}`,
    });
  }
}
