import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#database';
import { type LogReader, openLogReader } from '#ledger/read';
import { Memory } from './memory.ts';
import { selectPosition } from './sql/position.ts';
import { takeIn } from './step.ts';
import { adoptThresholds, type ThresholdChanges } from './thresholds.ts';
import { Waiting } from './waiting.ts';

export interface ProjectionOptions {
  readonly database: Database;
  readonly logId: number;
  /** What chains are judged by, where it differs from the defaults; as the log has it when left out. */
  readonly thresholds?: ThresholdChanges;
  /** Told once when following fails, when the thresholds wait for a reindex, and once for entries that cannot be read; following goes on by itself. */
  readonly onAlarm: (error: Error) => void;
  /** Told whenever the position moved or trouble came or went. */
  readonly onState?: (state: FollowerState) => void;
}

export interface FollowerState {
  readonly position: bigint;
  readonly trouble: Error | undefined;
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
export function startProjection(options: ProjectionOptions): Projection & { look(): void } {
  return new Follower(options);
}

class Follower implements Projection {
  readonly #options: ProjectionOptions;
  readonly #log: LogReader;
  readonly #closing = new AbortController();
  readonly #following: Promise<void>;
  readonly #memory = new Memory();
  #wake = new AbortController();
  readonly #waiting = new Waiting();
  #trouble: Error | undefined;
  #told: FollowerState = { position: 0n, trouble: undefined };

  constructor(options: ProjectionOptions) {
    this.#options = options;
    this.#log = openLogReader({ database: options.database, logId: options.logId });
    this.#following = this.#follow();
  }

  size = (): bigint => this.#waiting.position;
  trouble = (): Error | undefined => this.#trouble;

  caughtUp(size: bigint): Promise<void> {
    const caughtUp = this.#waiting.until(size);
    this.look();
    return caughtUp;
  }

  /** Ends a pause: somebody knows of new entries. */
  look(): void {
    this.#wake.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await this.#following;
    this.#waiting.close();
  }

  async #follow(): Promise<void> {
    let pauseMs = IDLE_MS;
    let isPrepared = false;
    while (!this.#closing.signal.aborted) {
      try {
        if (!isPrepared) await this.#prepare();
        isPrepared = true;
        const advanced = await this.#advance();
        pauseMs = IDLE_MS;
        this.#be(undefined);
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
    const from = (await selectPosition(database.pool('projector'), logId)) ?? 0n;
    this.#waiting.arrive(from);
    const entries = await this.#log.entries(from, BATCH);
    if (entries.length === 0) return false;
    const { position, unread } = await takeIn(database, logId, entries, this.#memory);
    this.#waiting.arrive(position);
    this.#be(undefined);
    if (unread[0] !== undefined) {
      const { leafIndex, reason } = unread[0];
      this.#options.onAlarm(
        new Error(`projection: ${unread.length} entries cannot be read, the first is ${leafIndex}: ${reason}`),
      );
    }
    return true;
  }

  #be(trouble: Error | undefined): void {
    this.#trouble = trouble;
    const { position } = this.#waiting;
    if (this.#told.position === position && this.#told.trouble === trouble) return;
    this.#told = { position, trouble };
    this.#options.onState?.(this.#told);
  }

  #tell(cause: unknown): void {
    const error = new Error('projection: a step failed and is tried again; answers stay at the last one that held', {
      cause,
    });
    const isNew = this.#trouble === undefined;
    this.#be(error);
    if (isNew) this.#options.onAlarm(error);
  }

  async #pause(forMs: number): Promise<void> {
    this.#wake = this.#closing.signal.aborted ? this.#wake : new AbortController();
    await sleep(forMs, undefined, { signal: this.#wake.signal, ref: false }).catch(() => undefined);
  }
}
