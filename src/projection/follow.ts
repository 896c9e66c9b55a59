import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#database';
import { type LogReader, openLogReader } from '#ledger/read';
import { Memory } from './memory.ts';
import { selectPosition } from './sql/position.ts';
import { takeIn } from './step.ts';
import { adoptThresholds, type ThresholdChanges } from './thresholds.ts';

export interface ProjectionOptions {
  readonly database: Database;
  readonly logId: number;
  /** What chains are judged by, where it differs from the defaults; as the log has it when left out. */
  readonly thresholds?: ThresholdChanges;
  /** Told once when following fails, when the thresholds wait for a reindex, and once for entries that cannot be read; following goes on by itself. */
  readonly onAlarm: (error: Error) => void;
}

export interface Projection {
  /** Resolves when the projection takes account of the first `size` entries; rejects when it is closed before. */
  caughtUp(size: bigint): Promise<void>;
  /** How many entries the projection takes account of, as last seen by this follower. */
  size(): bigint;
  /** Why following does not get on, while that is so. */
  trouble(): Error | undefined;
  close(): Promise<void>;
}

/** Entries of one transaction. */
export const BATCH = 2_000;
/** How long an idle follower waits before it looks again. */
const IDLE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Follows a log for as long as it is open. Every step is exactly once in effect: it resumes where the last commit left off, and
 * several followers of one log share the work without harm. Errors are told and tried again, with pauses up to 5 s.
 */
export function startProjection(options: ProjectionOptions): Projection {
  return new Follower(options);
}

interface Waiting {
  readonly size: bigint;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

class Follower implements Projection {
  readonly #options: ProjectionOptions;
  readonly #log: LogReader;
  readonly #closing = new AbortController();
  readonly #following: Promise<void>;
  readonly #memory = new Memory();
  #wake = new AbortController();
  #waiting: readonly Waiting[] = [];
  #position = 0n;
  #trouble: Error | undefined;

  constructor(options: ProjectionOptions) {
    this.#options = options;
    this.#log = openLogReader({ database: options.database, logId: options.logId });
    this.#following = this.#follow();
  }

  size = (): bigint => this.#position;
  trouble = (): Error | undefined => this.#trouble;

  caughtUp(size: bigint): Promise<void> {
    if (size <= this.#position) return Promise.resolve();
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { size, resolve, reject }];
      this.#wake.abort();
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await this.#following;
    for (const { reject } of this.#waiting) reject(closed());
    this.#waiting = [];
  }

  async #follow(): Promise<void> {
    let pauseMs = IDLE_MS;
    let isPrepared = false;
    while (!this.#closing.signal.aborted) {
      try {
        if (!isPrepared) await this.#prepare();
        isPrepared = true;
        const advanced = await this.#advance();
        [this.#trouble, pauseMs] = [undefined, IDLE_MS];
        if (advanced) continue;
      } catch (cause) {
        if (this.#closing.signal.aborted) return;
        this.#tell(cause);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
      await this.#pause(pauseMs);
    }
  }

  async #prepare(): Promise<void> {
    const { database, logId, thresholds, onAlarm } = this.#options;
    const later = thresholds === undefined ? undefined : await adoptThresholds(database, logId, thresholds);
    if (later !== undefined) onAlarm(new Error(later));
  }

  /** One batch; false when there is nothing to take in. */
  async #advance(): Promise<boolean> {
    const { database, logId } = this.#options;
    this.#arrive((await selectPosition(database.pool('projector'), logId)) ?? 0n);
    const entries = await this.#log.entries(this.#position, BATCH);
    if (entries.length === 0) return false;
    const { position, unread } = await takeIn(database, logId, entries, this.#memory);
    this.#trouble = undefined;
    this.#arrive(position);
    if (unread[0] !== undefined) {
      const { leafIndex, reason } = unread[0];
      this.#options.onAlarm(
        new Error(`projection: ${unread.length} entries cannot be read, the first is ${leafIndex}: ${reason}`),
      );
    }
    return true;
  }

  #arrive(position: bigint): void {
    this.#position = position;
    for (const { size, resolve } of this.#waiting) if (size <= position) resolve();
    this.#waiting = this.#waiting.filter(({ size }) => size > position);
  }

  #tell(cause: unknown): void {
    const error = new Error('projection: a step failed and is tried again; answers stay at the last one that held', {
      cause,
    });
    if (this.#trouble === undefined) this.#options.onAlarm(error);
    this.#trouble = error;
  }

  async #pause(forMs: number): Promise<void> {
    this.#wake = this.#closing.signal.aborted ? this.#wake : new AbortController();
    await sleep(forMs, undefined, { signal: this.#wake.signal, ref: false }).catch(() => undefined);
  }
}

const closed = (): Error => new Error('projection: closed before it caught up');
