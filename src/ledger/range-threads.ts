import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Database, Queryable } from '#database';
import { checkRange, type Range, type RangeResult } from './check-range.ts';
import { KnownIds } from './known-ids.ts';
import type { StoredLog } from './recompute.ts';

/** Who recomputes ranges, several at a time. */
export interface Ranges {
  /** How many are worth asking for at once. */
  readonly ahead: number;
  check(range: Range): Promise<RangeResult>;
  close(): Promise<void>;
}
/** What a thread is started with. */
export interface RangeThread {
  readonly url: string;
  readonly logId: number;
  readonly size: bigint;
  readonly snapshot: string; // as pg_export_snapshot names it
}

/** On this thread and the log's own connection. */
export function rangesHere(log: StoredLog): Ranges {
  const known = new KnownIds();
  return { ahead: 1, check: (range) => checkRange(log, range, known), close: async () => undefined };
}

/** On threads of their own, each with a connection that sees what `log.db` sees. */
export async function rangesOnThreads(database: Database, log: StoredLog, count: number): Promise<Ranges> {
  const start: RangeThread = {
    url: database.url,
    logId: log.logId,
    size: log.size,
    snapshot: await exportSnapshot(log.db),
  };
  const threads = Array.from({ length: count }, () => new Thread(start));
  let turn = 0;
  return {
    ahead: 2 * count,
    check: (range) => {
      turn += 1;
      return (threads[turn % count] as Thread).check(range);
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

async function exportSnapshot(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ id: string }>('select pg_export_snapshot() as id');
  const id = rows[0]?.id ?? '';
  if (!/^[0-9A-F-]+$/.test(id)) throw new Error(`pg_export_snapshot: expected hex digits, got ${id}`);
  return id;
}

class Thread {
  readonly #worker: Worker;
  readonly #gone: Promise<unknown>;
  readonly #asked: { resolve: (result: RangeResult) => void; reject: (error: unknown) => void }[] = [];

  constructor(workerData: RangeThread) {
    this.#worker = new Worker(join(import.meta.dirname, 'range-worker.ts'), { workerData });
    this.#worker.on('message', (result: RangeResult) => this.#asked.shift()?.resolve(result));
    this.#worker.on('error', (error) => this.#end(error));
    this.#gone = once(this.#worker, 'exit').catch(() => undefined); // its error is told to whoever asked
  }

  /** Answers come in the order of the questions. */
  check(range: Range): Promise<RangeResult> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#worker.postMessage(range);
    });
  }

  async close(): Promise<void> {
    this.#worker.postMessage(undefined);
    await this.#gone;
  }

  #end(error: unknown): void {
    for (const { reject } of this.#asked.splice(0)) reject(error);
  }
}
