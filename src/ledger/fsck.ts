import { EMPTY_ROOT, openCheckpoint, parseCheckpoint, parseNote, tilePath, VerificationError } from '@behalf/verify';
import type { Database } from '#database';
import { checkHandOvers, type KeyHistory, keyAt } from './check-hand-overs.ts';
import { type Difference, DifferenceFound, differs } from './difference.ts';
import { EMPTY_EDGE } from './edge.ts';
import { sameBytes } from './hash.ts';
import { idKey, KnownIds } from './known-ids.ts';
import { min, PAGE, recomputePage, type StoredLog } from './recompute.ts';
import { snapshot } from './snapshot.ts';
import { type CheckpointRow, selectCheckpoints } from './sql/checkpoint.ts';
import { entriesOf, type Run, selectIndexFrom } from './sql/entry.ts';
import { countIds, selectIdBuckets } from './sql/id-bucket.ts';
import { type LogRow, selectLog } from './sql/log.ts';
import { selectTilesBeyond } from './sql/tile.ts';

export interface FsckOptions {
  readonly database: Database;
  readonly logId: number;
  /** Also checks the signature of every checkpoint with this key of the log, from a source that is trusted. */
  readonly verifierKey?: string;
  readonly onProgress?: (entries: bigint, of: bigint) => void;
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
  readonly #ids = new KnownIds();
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
    let [edge, root] = [EMPTY_EDGE, EMPTY_ROOT];
    while (edge.size < log.size) {
      const to = min(edge.size + BigInt(PAGE), log.size);
      const checkpoints = await selectCheckpoints(log.db, log.logId, { from: edge.size + 1n, to });
      const roots = new Map<bigint, Uint8Array>();
      const wanted = new Set(checkpoints.map(({ size }) => size));
      const page = await recomputePage(log, edge, (size, rootHash) => {
        if (wanted.has(size)) roots.set(size, rootHash());
      });
      this.#entries = page.edge.size;
      await this.#checkIds(log, page.runs, remembered.from ?? log.size);
      await this.#checkCheckpoints(row, checkpoints, (size) => roots.get(size));
      ({ edge, root } = page);
      this.#o.onProgress?.(edge.size, log.size);
    }
    if (!sameBytes(root, row.root))
      differs({ kind: 'root', says: `the log's root of size ${log.size} is not that of its entries` });
    await checkNothingBeyond(log);
    checkCount(log, remembered);
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

  /**
   * Each entry's observation id is remembered with its index, from an index on: else a repeated observation would be
   * stored again. What was sequenced before it is beyond the window: an id that stands there and once more later was sent
   * again after the window, and is no difference.
   */
  async #checkIds({ db, logId }: StoredLog, runs: readonly Run[], from: bigint): Promise<void> {
    const entries = runs.flatMap(entriesOf).filter(({ leafIndex }) => leafIndex >= from);
    const ids = entries.map(({ leafIndex, bytes }) => idKey(idOf(leafIndex, bytes)));
    const page = this.#ids.begin();
    const missing = this.#ids.missing(ids);
    if (missing.length > 0) this.#ids.learn(missing, await selectIdBuckets(db, logId, missing));
    for (const [i, { leafIndex }] of entries.entries()) {
      const id = ids[i];
      const at = id && this.#ids.find(id);
      if (at !== undefined && BigInt(at) === leafIndex) continue;
      differs({
        kind: 'sequenced_id',
        leafIndex,
        says: `entry ${leafIndex}: its observation id is remembered ${at === undefined ? 'nowhere' : `at ${at}`}`,
      });
    }
    this.#ids.settled(page);
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

function idOf(leafIndex: bigint, bytes: Uint8Array): string {
  const id = readId(bytes);
  if (typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id)) return id;
  return differs({ kind: 'entry', leafIndex, says: `entry ${leafIndex} holds no observation id` });
}

function readId(bytes: Uint8Array): unknown {
  try {
    const entry: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof entry === 'object' && entry !== null && 'id' in entry ? entry.id : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
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
