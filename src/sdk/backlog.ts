import { RecordChunks } from './record-chunks.ts';

/** Observations of one sender, ready to be sent: OTLP log records as `putRecord` frames them, and their resource. */
export interface Batch {
  readonly resource: Uint8Array;
  readonly count: number;
  /** Never changed before the batch is settled. */
  readonly pieces: readonly Uint8Array[];
}

/** One observation on its way in. */
export interface Waiting {
  readonly sequence: number;
  /** The whole LogRecord, or all of it that is known before the answer leaves; copied by whoever keeps it. */
  readonly record: Uint8Array;
}

/**
 * Where observations wait for the collector, oldest first. `add`, `hold` and `complete` are synchronous and never throw:
 * what they took is kept as the implementation says, and what they could not take is for the caller to count.
 */
export interface Backlog {
  /** Observations that could be sent. */
  readonly pending: number;
  /** True when the next observation would be refused. */
  readonly full: boolean;
  /** Keeps a whole observation; false when there is no room. */
  add(waiting: Waiting): boolean;
  /** Keeps an observation whose ending is not known yet; false when there is no room. */
  hold(waiting: Waiting): boolean;
  /** Ends a held observation: the fields of `ending` are put behind it. */
  complete(sequence: number, ending: Uint8Array): void;
  /** Resolves when everything taken so far is as durable as it is going to be; undefined when it is. */
  durable(): Promise<void> | undefined;
  /** Makes what was taken so far survive the process, as far as it is going to, before it returns. */
  write(): void;
  /** The oldest batch, the same until it is settled; undefined when nothing can be sent. */
  take(): Batch | undefined;
  /** The batch last taken is not needed any more. */
  settle(): void;
  /** Makes known that `count` observations were lost in all, the last of them `sequence`. */
  noteLost(sequence: number): void;
  close(): void;
}

/** Most observations in one export. */
export const MAX_BATCH = 512;
/** Most bytes in one export, beyond the observation that passes them. */
export const MAX_BATCH_BYTES = 512 * 1024;

/** Keeps a bounded number of observations in memory: a crash of the process loses them. */
export class MemoryBacklog implements Backlog {
  readonly #resource: Uint8Array;
  readonly #size: number;
  readonly #held = new Map<number, Uint8Array>();
  readonly #waiting = new RecordChunks();
  #batch: Batch | undefined;

  constructor(resource: Uint8Array, size: number) {
    this.#resource = resource;
    this.#size = size;
  }

  get pending(): number {
    return this.#waiting.count;
  }

  get full(): boolean {
    return this.#waiting.count + this.#held.size >= this.#size;
  }

  add({ record }: Waiting): boolean {
    if (this.full) return false;
    this.#waiting.append([record]);
    return true;
  }

  hold({ sequence, record }: Waiting): boolean {
    if (this.full) return false;
    this.#held.set(sequence, Buffer.from(record));
    return true;
  }

  complete(sequence: number, ending: Uint8Array): void {
    const record = this.#held.get(sequence);
    if (record === undefined) return;
    this.#held.delete(sequence);
    this.#waiting.append([record, ending]);
  }

  durable(): undefined {}

  write(): void {}

  take(): Batch | undefined {
    if (this.#waiting.count === 0) return undefined;
    this.#batch ??= { resource: this.#resource, ...this.#waiting.take(MAX_BATCH, MAX_BATCH_BYTES) };
    return this.#batch;
  }

  settle(): void {
    this.#waiting.settle();
    this.#batch = undefined;
  }

  noteLost(): void {}

  close(): void {
    this.#waiting.clear();
    this.#held.clear();
    this.#batch = undefined;
  }
}
