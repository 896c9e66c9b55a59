import { Worker } from 'node:worker_threads';
import type { Projection } from './follow.ts';
import type { ThresholdChanges } from './thresholds.ts';
import { Waiting } from './waiting.ts';

export interface ThreadOptions {
  /** The database's address: the thread has connections of its own. */
  readonly url: string;
  readonly logId: number;
  /** As of `startProjection`. */
  readonly thresholds?: ThresholdChanges;
  /** As of `startProjection`; told too when the thread ends by itself, after which another is started. */
  readonly onAlarm: (error: Error) => void;
}

/** To the thread. */
export type Order = { readonly kind: 'look' } | { readonly kind: 'close' };
/** From the thread. */
export type Says =
  | { readonly kind: 'state'; readonly position: bigint; readonly trouble: Error | undefined }
  | { readonly kind: 'alarm'; readonly error: Error };

/** What the thread is made with. */
export type ThreadData = Pick<ThreadOptions, 'url' | 'logId'> & { readonly thresholds: ThresholdChanges | undefined };

const PAUSE_MS = 1_000;

/**
 * `startProjection` on a thread of its own, so that stitching never keeps whoever takes observations in from answering. A
 * thread that ends by itself loses nothing: the next one resumes where the last commit left off.
 */
export function startProjectionThread(options: ThreadOptions): Projection {
  return new ProjectionThread(options);
}

class ProjectionThread implements Projection {
  readonly #options: ThreadOptions;
  readonly #waiting = new Waiting();
  #worker: Worker;
  #trouble: Error | undefined;
  #isClosing = false;
  #again: NodeJS.Timeout | undefined;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  size = (): bigint => this.#waiting.position;
  trouble = (): Error | undefined => this.#trouble;

  caughtUp(size: bigint): Promise<void> {
    const caughtUp = this.#waiting.until(size);
    this.#worker.postMessage({ kind: 'look' } satisfies Order);
    return caughtUp;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#again);
    const hasEnded = this.#worker.threadId < 0;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage({ kind: 'close' } satisfies Order);
    if (!hasEnded) await ended;
    this.#waiting.close();
  }

  #start(): Worker {
    const { url, logId, thresholds } = this.#options;
    const worker = new Worker(new URL('./follow-thread.ts', import.meta.url), {
      workerData: { url, logId, thresholds } satisfies ThreadData,
    });
    let why: Error | undefined;
    worker.on('message', (says: Says) => this.#hear(says));
    worker.on('error', (error) => {
      why = error instanceof Error ? error : new Error(String(error));
    });
    worker.once('exit', () => this.#ended(why));
    return worker;
  }

  #hear(says: Says): void {
    if (says.kind === 'alarm') {
      this.#options.onAlarm(says.error);
      return;
    }
    this.#trouble = says.trouble;
    this.#waiting.arrive(says.position);
  }

  #ended(cause: Error | undefined): void {
    if (this.#isClosing) return;
    const error = new Error('projection: its thread ended and is started again; answers stay at the last step', {
      cause,
    });
    if (this.#trouble === undefined) this.#options.onAlarm(error);
    this.#trouble = error;
    this.#again = setTimeout(() => {
      this.#worker = this.#start();
    }, PAUSE_MS);
  }
}
