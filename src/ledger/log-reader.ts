import {
  entryBundlePath,
  formatEntryBundle,
  formatTlogProof,
  proveInclusion,
  TILE_WIDTH,
  type Tile,
  tileHashReader,
  tilePath,
  tileWidth,
  VerificationError,
} from '@behalf/verify';
import type { Database } from '#database';
import { ByteCache } from './byte-cache.ts';
import { asLedgerErrors } from './database-error.ts';
import { LedgerError } from './errors.ts';
import { requireLog } from './open-log.ts';
import { readTile } from './read-tile.ts';
import { hasCheckpoint, selectLastCheckpoint } from './sql/checkpoint.ts';
import { type EntryRow, selectEntries, selectEntry } from './sql/entry.ts';
import type { TreeHead } from './sql/log.ts';

/** Most entries of one `entries` call. */
export const MAX_ENTRIES_AT_ONCE = 10_000;

export interface PublishedCheckpoint extends TreeHead {
  /** The signed note, verbatim. */
  readonly note: string;
}

export interface ProvenTogether {
  readonly checkpoint: string; // the signed note
  readonly proofs: readonly (readonly Uint8Array[])[]; // in the order asked
}

/** Reads one log. All methods reject with LedgerError: `missing`, `corrupt`, or `unavailable`. */
export interface LogReader {
  /** The log as it is sequenced now. */
  log(): Promise<{ readonly origin: string; readonly size: bigint; readonly root: Uint8Array }>;
  /** The last one published. */
  checkpoint(): Promise<PublishedCheckpoint | undefined>;
  /**
   * A tile's bytes (C2SP tlog-tiles v0.1.0); a partial one with `width` 1..255, only as a published size has it.
   * Undefined for what no published checkpoint covers. What is returned never changes.
   */
  tile(level: number, index: bigint, width?: number): Promise<Uint8Array | undefined>;
  /** As `tile`, for the entries of a level-0 tile. */
  entryBundle(index: bigint, width?: number): Promise<Uint8Array | undefined>;
  /** The bytes of a sequenced entry, published or not. */
  entry(index: bigint): Promise<Uint8Array | undefined>;
  /** Sequenced entries from an index on, without a gap; fewer at the end. `count` 1..10,000, else RangeError. */
  entries(from: bigint, count: number): Promise<readonly EntryRow[]>;
  /** A `.tlog-proof` (C2SP tlog-proof@v1) under the last published checkpoint; undefined until one covers the index. */
  prove(index: bigint): Promise<string | undefined>;
  /** Inclusion proofs of several entries under one checkpoint, the last published; undefined until it covers them all. */
  proveTogether(indexes: readonly bigint[]): Promise<ProvenTogether | undefined>;
}

export interface LogReaderOptions {
  readonly database: Database;
  readonly logId: number;
  /** Most bytes of full tiles and bundles kept in memory. */
  readonly cacheBytes?: number;
}

/** Reads with the reader's role only; opens nothing until asked. */
export function openLogReader({ database, logId, cacheBytes = 64 * 2 ** 20 }: LogReaderOptions): LogReader {
  return new StoredLogReader(database, logId, new ByteCache(cacheBytes));
}

class StoredLogReader implements LogReader {
  readonly #database: Database;
  readonly #logId: number;
  readonly #cache: ByteCache;
  /** Known to be published; there may be more. */
  #published = 0n;

  constructor(database: Database, logId: number, cache: ByteCache) {
    this.#database = database;
    this.#logId = logId;
    this.#cache = cache;
  }

  get #db() {
    return this.#database.pool('reader');
  }

  log() {
    return asLedgerErrors(async () => {
      const { origin, size, root } = await requireLog(this.#db, this.#logId);
      return { origin, size, root };
    });
  }

  checkpoint() {
    return asLedgerErrors(async () => {
      const checkpoint = await selectLastCheckpoint(this.#db, this.#logId);
      if (checkpoint !== undefined) this.#published = checkpoint.size;
      return checkpoint;
    });
  }

  tile(level: number, index: bigint, width = TILE_WIDTH) {
    const tile = { level, index, width };
    return asLedgerErrors(async () => ((await this.#isPublished(tile)) ? this.#tile(tile) : undefined));
  }

  entryBundle(index: bigint, width = TILE_WIDTH) {
    return asLedgerErrors(async () => {
      if (!(await this.#isPublished({ level: 0, index, width }))) return undefined;
      const read = () => this.#bundle(index, width);
      return width === TILE_WIDTH ? this.#cache.get(entryBundlePath(index), read) : read();
    });
  }

  entry(index: bigint) {
    return asLedgerErrors(async () => {
      if (index < 0n || index >= 2n ** 63n) return undefined;
      return selectEntry(this.#db, this.#logId, index);
    });
  }

  async entries(from: bigint, count: number) {
    if (from < 0n || !Number.isInteger(count) || count < 1 || count > MAX_ENTRIES_AT_ONCE) {
      throw new RangeError(
        `entries: expected from >= 0 and a count of 1 to ${MAX_ENTRIES_AT_ONCE}, got ${from}, ${count}`,
      );
    }
    return asLedgerErrors(async () => requireDense(await selectEntries(this.#db, this.#logId, from, count), from));
  }

  async prove(index: bigint) {
    const proven = await this.proveTogether([index]);
    const proof = proven?.proofs[0];
    return proven && proof && formatTlogProof({ index, proof, checkpoint: proven.checkpoint });
  }

  async proveTogether(indexes: readonly bigint[]) {
    const checkpoint = await this.checkpoint();
    if (checkpoint === undefined || indexes.some((index) => index < 0n || index >= checkpoint.size)) return undefined;
    const read = tileHashReader({ ...checkpoint, readTile: (tile) => this.#tile(tile) });
    const proofs: Uint8Array[][] = [];
    try {
      for (const index of indexes) {
        proofs.push(await asLedgerErrors(() => proveInclusion({ index, size: checkpoint.size, read })));
      }
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      throw new LedgerError('corrupt', `${error.message}; run behalf fsck`, { cause: error });
    }
    return { checkpoint: checkpoint.note, proofs };
  }

  async #tile(tile: Tile): Promise<Uint8Array> {
    const read = () => readTile(this.#db, this.#logId, tile);
    if (tile.width < TILE_WIDTH) return read();
    return (await this.#cache.get(tilePath(tile.level, tile.index), read)) ?? read();
  }

  async #bundle(index: bigint, width: number): Promise<Uint8Array> {
    const first = index * BigInt(TILE_WIDTH);
    const entries = requireDense(await selectEntries(this.#db, this.#logId, first, width), first);
    if (entries.length < width) throw missing(first + BigInt(entries.length));
    return formatEntryBundle(entries.map((entry) => entry.bytes));
  }

  /** Full tiles under the last checkpoint; partial ones only as some published size ends in them. */
  async #isPublished({ level, index, width }: Tile): Promise<boolean> {
    if (!isTile({ level, index, width })) return false;
    const unit = 256n ** BigInt(level);
    const end = (index * BigInt(TILE_WIDTH) + BigInt(width)) * unit; // the first size that has it
    if (end + unit >= 2n ** 63n) return false; // beyond any stored size
    if (width < TILE_WIDTH) return hasCheckpoint(this.#db, this.#logId, { from: end, to: end + unit });
    if (this.#published < end) await this.checkpoint();
    return tileWidth(level, index, this.#published) === TILE_WIDTH;
  }
}

const isTile = ({ level, index, width }: Tile): boolean =>
  Number.isInteger(level) &&
  level >= 0 &&
  level <= 7 &&
  index >= 0n &&
  Number.isInteger(width) &&
  width >= 1 &&
  width <= TILE_WIDTH;

function requireDense(entries: readonly EntryRow[], from: bigint): readonly EntryRow[] {
  for (const [i, { leafIndex }] of entries.entries()) {
    if (leafIndex !== from + BigInt(i)) throw missing(from + BigInt(i));
  }
  return entries;
}

const missing = (leafIndex: bigint): LedgerError =>
  new LedgerError('corrupt', `entry ${leafIndex} is missing; run behalf fsck`);
