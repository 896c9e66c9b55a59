import type { Database } from '#database';
import { extendEntries, extendIds, forgetIds } from './sql/append.ts';

/** Indexes in one partition of the entry table; the next one is made when three quarters are used. */
const PARTITION = 2n ** 24n;
const HOUR_MS = 3_600_000;

/** The partitions a batch needs, made before it and outside its transaction; and those of ids beyond the window, dropped. */
export class Places {
  readonly #database: Database;
  readonly #logId: number;
  readonly #windowHours: number;
  #entriesUpTo = 0n;
  #idsKeptAt = Number.NEGATIVE_INFINITY;

  constructor(database: Database, logId: number, windowHours: number) {
    this.#database = database;
    this.#logId = logId;
    this.#windowHours = windowHours;
  }

  /** What was made is not relied on any more: the database's clock may have leapt past the days made. */
  doubt(): void {
    this.#entriesUpTo = 0n;
    this.#idsKeptAt = Number.NEGATIVE_INFINITY;
  }

  /** For a log of this size: entries a quarter of a partition ahead of need, and ids. */
  async make(size: bigint): Promise<void> {
    if (size + PARTITION / 4n > this.#entriesUpTo) {
      const upTo = size + PARTITION / 2n;
      await extendEntries(this.#database.pool('writer'), this.#logId, upTo);
      this.#entriesUpTo = upTo;
    }
    await this.keepWindow();
  }

  /** Every hour: makes tomorrow's place for ids and forgets what is beyond the window. */
  async keepWindow(): Promise<void> {
    if (performance.now() - this.#idsKeptAt < HOUR_MS) return;
    await extendIds(this.#database.pool('writer'), this.#logId);
    await forgetIds(this.#database.pool('writer'), this.#windowHours);
    this.#idsKeptAt = performance.now();
  }
}
