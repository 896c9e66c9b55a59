import { availableParallelism } from 'node:os';
import {
  EMPTY_ROOT,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  TILE_WIDTH,
  tilePath,
  VerificationError,
} from '@behalf/verify';
import type { Database } from '#database';
import { checkHandOvers, type KeyHistory, keyAt } from './check-hand-overs.ts';
import type { Range, RangeResult } from './check-range.ts';
import { type Difference, DifferenceFound, differs } from './difference.ts';
import { type Edge, EMPTY_EDGE, Growth } from './edge.ts';
import { sameBytes } from './hash.ts';
import { type Ranges, rangesHere, rangesOnThreads } from './range-threads.ts';
import { compareTiles, min, type StoredLog } from './recompute.ts';
import { snapshot } from './snapshot.ts';
import { type CheckpointRow, selectCheckpoints } from './sql/checkpoint.ts';
import { selectIndexFrom } from './sql/entry.ts';
import { countIds } from './sql/id-bucket.ts';
import { type LogRow, selectLog } from './sql/log.ts';
import { selectTilesBeyond } from './sql/tile.ts';

export interface FsckOptions {
  readonly database: Database;
  readonly logId: number;
  /** Also checks the signature of every checkpoint with this key of the log, from a source that is trusted. */
  readonly verifierKey?: string;
  /** Threads to recompute with; as many as there are processors unless told, and no more than there is work for. */
  readonly cores?: number;
  readonly onProgress?: (entries: bigint, of: bigint) => void;
}

/** Entries recomputed at once: whole tiles of level 1 are not needed, whole ones of level 0 are. */
const RANGE = 2n ** 14n;

/** A range that was asked for, and the checkpoints in it. */
interface Asked {
  readonly checkpoints: readonly CheckpointRow[];
  readonly result: Promise<RangeResult>;
}

async function ask(log: StoredLog, ranges: Ranges, { from, idsFrom }: Pick<Range, 'from' | 'idsFrom'>): Promise<Asked> {
  const to = min(from + RANGE, log.size);
  const checkpoints = await selectCheckpoints(log.db, log.logId, { from: from + 1n, to });
  const result = ranges.check({ from, to, sizes: checkpoints.map(({ size }) => size), idsFrom });
  result.catch(() => undefined); // told when its turn comes
  return { checkpoints, result };
}

export interface FsckReport {
  /** True when every entry was recomputed and nothing differs. */
  readonly ok: boolean;
  /** Entries whose bytes were hashed and compared. */
  readonly entries: bigint;
  readonly checkpoints: bigint;
  readonly firstDifference?: Difference;
}

/**
 * Recomputes a log from its entries' bytes: leaf hashes, tiles, root, checkpoints, and the index of observation ids. It
 * trusts nothing that is stored, works on one snapshot of a running log or a restored dump, and in bounded memory.
 * Rejects only when the database cannot be read.
 */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  return snapshot(options.database, async (db) => {
    const check = new Check(options);
    try {
      const log = await selectLog(db, options.logId);
      if (log === undefined) differs({ kind: 'log', says: `log ${options.logId} is not in the database` });
      await check.run({ db, logId: options.logId, size: log.size }, log);
      return check.report();
    } catch (error) {
      if (error instanceof DifferenceFound) return check.report(error.difference);
      throw error;
    }
  });
}

class Check {
  readonly #o: FsckOptions;
  #entries = 0n;
  #checkpoints = 0n;
  #keys: KeyHistory | undefined;

  constructor(options: FsckOptions) {
    this.#o = options;
  }

  report(firstDifference?: Difference): FsckReport {
    const counts = { entries: this.#entries, checkpoints: this.#checkpoints };
    return firstDifference === undefined ? { ok: true, ...counts } : { ok: false, ...counts, firstDifference };
  }

  async run(log: StoredLog, row: LogRow): Promise<void> {
    this.#keys = await checkHandOvers(log, row, this.#o.verifierKey);
    await this.#checkCheckpoints(
      row,
      await selectCheckpoints(log.db, log.logId, { from: 0n, to: 0n }),
      () => EMPTY_ROOT,
    );
    const remembered = await countIds(log.db, log.logId);
    const root = await this.#checkRanges(log, row, remembered.from ?? log.size);
    if (!sameBytes(root, row.root))
      differs({ kind: 'root', says: `the log's root of size ${log.size} is not that of its entries` });
    await checkNothingBeyond(log);
    checkCount(log, remembered);
  }

  /** Ranges are recomputed side by side and joined in order, so that the first difference is the lowest. */
  async #checkRanges(log: StoredLog, row: LogRow, idsFrom: bigint): Promise<Uint8Array> {
    const ranges = await this.#ranges(log);
    try {
      const asked: Asked[] = [];
      let [next, edge, root] = [0n, EMPTY_EDGE, EMPTY_ROOT];
      while (edge.size < log.size) {
        for (; asked.length < ranges.ahead && next < log.size; next += RANGE) {
          asked.push(await ask(log, ranges, { from: next, idsFrom }));
        }
        ({ edge, root } = await this.#join(log, row, edge, asked.shift() as Asked));
        this.#o.onProgress?.(edge.size, log.size);
      }
      return root;
    } finally {
      await ranges.close();
    }
  }

  #ranges(log: StoredLog): Ranges | Promise<Ranges> {
    const useful = Number((log.size + RANGE - 1n) / RANGE);
    const count = Math.min(this.#o.cores ?? availableParallelism(), useful);
    return count > 1 ? rangesOnThreads(this.#o.database, log, count) : rangesHere(log);
  }

  /** Adds a range to the tree: its tiles against the stored ones, its checkpoints against the roots. */
  async #join(log: StoredLog, row: LogRow, edge: Edge, { checkpoints, result: asked }: Asked) {
    const result = await asked;
    const growth = new Growth(edge);
    const roots = new Map<bigint, Uint8Array>();
    const sizes = checkpoints.map(({ size }) => size);
    const takeRoots = (to: bigint) => {
      while (sizes[0] !== undefined && sizes[0] < to) {
        const size = sizes.shift() as bigint;
        roots.set(size, growth.size === size ? growth.root() : growth.root(result.peaks.get(size)));
      }
    };
    for (const tile of result.tiles) {
      takeRoots(growth.size + BigInt(TILE_WIDTH));
      growth.addTile(tile);
    }
    takeRoots(growth.size + BigInt(result.rest.length) + 1n);
    if (result.difference === undefined) for (const leaf of result.rest) growth.add(leaf);
    const grown = growth.finish();
    await compareTiles(
      log,
      grown.tiles.filter(({ level }) => level > 0),
    );
    this.#entries = grown.edge.size;
    await this.#checkCheckpoints(
      row,
      checkpoints.filter(({ size }) => size <= grown.edge.size),
      (size) => roots.get(size),
    );
    if (result.difference !== undefined) differs(result.difference);
    return grown;
  }

  async #checkCheckpoints(
    log: LogRow,
    checkpoints: readonly CheckpointRow[],
    rootOf: (size: bigint) => Uint8Array | undefined,
  ): Promise<void> {
    for (const row of checkpoints) {
      const root = rootOf(row.size);
      if (root === undefined || !sameBytes(row.root, root)) {
        differs({
          kind: 'checkpoint',
          says: `checkpoint ${row.size}: its root is not that of the first ${row.size} entries`,
        });
      }
      await this.#checkNote(log, row);
      this.#checkpoints += 1n;
    }
  }

  /** The signed note must say what its row says, under the log's name, and bear its key's signature where one is given. */
  async #checkNote(log: LogRow, row: CheckpointRow): Promise<void> {
    const verifierKey = this.#o.verifierKey && this.#keys && keyAt(this.#keys, row.size);
    const { origin, size, root } = await checked(`checkpoint ${row.size}`, async () =>
      verifierKey === undefined ? parseCheckpoint(parseNote(row.note).text) : openCheckpoint(row.note, verifierKey),
    );
    if (origin === log.origin && size === row.size && sameBytes(root, row.root)) return;
    differs({
      kind: 'checkpoint',
      says: `checkpoint ${row.size}: its note is of ${origin} at size ${size}, or of another root`,
    });
  }
}

async function checked<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return differs({ kind: 'checkpoint', says: `${what}: ${error.message}` });
  }
}

/** Rows that the log's size has no place for. */
async function checkNothingBeyond({ db, logId, size }: StoredLog): Promise<void> {
  const leafIndex = await selectIndexFrom(db, logId, size);
  if (leafIndex !== undefined) {
    differs({ kind: 'entry', leafIndex, says: `entry ${leafIndex} is stored; the log's size is ${size}` });
  }
  const [tile] = await selectTilesBeyond(db, logId, size);
  if (tile !== undefined) {
    differs({ kind: 'tile', says: `${tilePath(tile.level, tile.index)} holds more than a log of size ${size} has` });
  }
  const [checkpoint] = await selectCheckpoints(db, logId, { from: size + 1n, to: 2n ** 63n - 1n });
  if (checkpoint !== undefined) {
    differs({ kind: 'checkpoint', says: `checkpoint ${checkpoint.size} is of a larger tree than the log's, ${size}` });
  }
}

/** Every entry from the first remembered one on is remembered once, and nothing else is. */
function checkCount({ size }: StoredLog, { count, from }: Awaited<ReturnType<typeof countIds>>): void {
  if (count === size - (from ?? size)) return;
  differs({
    kind: 'sequenced_id',
    says: `${count} observation ids are remembered for the ${size - (from ?? size)} entries from ${from} on`,
  });
}
