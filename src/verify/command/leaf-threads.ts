import { Worker } from 'node:worker_threads';
import type { LeafReader } from '../leaf-reader.ts';
import { VerificationError } from '../verification-error.ts';
import { LEAF_THREAD, type LeafAnswer, type LeafThreadData } from './leaf-thread.ts';

/** Bundles each thread works on at once, so that it hashes one while it waits for another. */
const PER_THREAD = 4;
/**
 * What a thread works with is gone as soon as it is hashed: measured, a young generation of this size takes a third of the memory
 * and less time than Node's own choice. A thread that would need more than these stops, and the verification with it.
 */
const LIMITS = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 128 };

interface Waiting {
  readonly resolve: (leaves: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** Threads that read, hash and compare a log's bundles. Every promise it gave is settled when it closes. */
export class LeafThreads {
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<bigint, Waiting>();
  #failed: Error | undefined;

  constructor(log: { readonly url: string; readonly timeoutMs: number }, threads: number) {
    const workerData: LeafThreadData = { kind: 'behalf-verify leaves', ...log };
    this.#workers = Array.from({ length: threads }, () => this.#start(workerData));
  }

  /** How many bundles to ask for ahead. */
  get ahead(): number {
    return this.#workers.length * PER_THREAD;
  }

  /** Each index may be asked for once at a time. */
  read: LeafReader = (index, size) =>
    new Promise((resolve, reject) => {
      if (this.#failed !== undefined) throw this.#failed;
      this.#waiting.set(index, { resolve, reject });
      this.#workers[Number(index % BigInt(this.#workers.length))]?.postMessage({ index, size });
    });

  async close(): Promise<void> {
    this.#fail(new Error('the threads were closed'));
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(workerData: LeafThreadData): Worker {
    const worker = new Worker(LEAF_THREAD, { workerData, resourceLimits: LIMITS });
    worker.on('message', (answer: LeafAnswer) => this.#settle(answer));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => this.#fail(new Error('a thread ended before its work was done')));
    return worker;
  }

  #settle(answer: LeafAnswer): void {
    const waiting = this.#waiting.get(answer.index);
    this.#waiting.delete(answer.index);
    if (answer.kind === 'leaves') waiting?.resolve(answer.leaves);
    else waiting?.reject(refusal(answer));
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failed);
    this.#waiting.clear();
  }
}

const refusal = ({ code, message, leaf }: Extract<LeafAnswer, { kind: 'refused' }>): VerificationError =>
  new VerificationError(code, message, leaf === undefined ? {} : { index: leaf });
