/** Observations of one sender, ready to be sent: OTLP log records, each in one or more parts, and their resource. */
export interface Batch {
  readonly resource: Uint8Array;
  readonly records: readonly (readonly Uint8Array[])[];
}

/** One observation on its way in. */
export interface Waiting {
  readonly sequence: number;
  /** The whole LogRecord, or all of it that is known before the answer leaves. */
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
  /** Resolves when everything taken so far is as durable as it is going to be. */
  durable(): Promise<void> | undefined;
  /** The oldest batch, the same until it is settled; undefined when nothing can be sent. */
  take(): Batch | undefined;
  /** The batch last taken is not needed any more. */
  settle(): void;
  /** Makes known that `count` observations were lost in all, the last of them `sequence`. */
  noteLost(sequence: number): void;
  close(): void;
}

/** Most observations in one export: their joining must not hold up the host's event loop. */
export const MAX_BATCH = 512;
/** Most bytes in one export. */
export const MAX_BATCH_BYTES = 1024 * 1024;

/** Keeps a bounded number of observations in memory: a crash of the process loses them. */
export class MemoryBacklog implements Backlog {
  readonly #resource: Uint8Array;
  readonly #size: number;
  readonly #held = new Map<number, Uint8Array>();
  #waiting: (readonly Uint8Array[])[] = [];
  #taken = 0;

  constructor(resource: Uint8Array, size: number) {
    this.#resource = resource;
    this.#size = size;
  }

  get pending(): number {
    return this.#waiting.length;
  }

  get full(): boolean {
    return this.#waiting.length + this.#held.size >= this.#size;
  }

  add({ record }: Waiting): boolean {
    if (this.full) return false;
    this.#waiting.push([record]);
    return true;
  }

  hold({ sequence, record }: Waiting): boolean {
    if (this.full) return false;
    this.#held.set(sequence, record);
    return true;
  }

  complete(sequence: number, ending: Uint8Array): void {
    const record = this.#held.get(sequence);
    if (record === undefined) return;
    this.#held.delete(sequence);
    this.#waiting.push([record, ending]);
  }

  durable(): undefined {}

  take(): Batch | undefined {
    if (this.#waiting.length === 0) return undefined;
    this.#taken ||= Math.min(MAX_BATCH, this.#waiting.length);
    return { resource: this.#resource, records: this.#waiting.slice(0, this.#taken) };
  }

  settle(): void {
    this.#waiting = this.#waiting.slice(this.#taken);
    this.#taken = 0;
  }

  noteLost(): void {}

  close(): void {
    this.#waiting = [];
    this.#held.clear();
    this.#taken = 0;
  }
}
