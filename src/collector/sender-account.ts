import type { NotStored } from './account.ts';
import { type Gap, SequenceGaps } from './sequence-gaps.ts';

/** Who sent something, by its own word. */
export interface SenderName {
  readonly service: string;
  readonly namespace?: string;
  readonly instance?: string;
}

/** What became of what one sender sent, since this server started. Counts only grow. */
export interface SenderAccount extends SenderName {
  /** Spans and log records. */
  readonly received: number;
  readonly accepted: number;
  /** Durable already when they came: retries, or another collector was first. */
  readonly duplicated: number;
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>; // of refusals
  readonly notStored: Readonly<Partial<Record<NotStored, number>>>;
  /** The sender's own sequence numbers, when it gives any: what never came between the first and the last seen. */
  readonly sequence?: {
    readonly from: bigint;
    readonly to: bigint;
    readonly missing: bigint;
    readonly gaps: readonly Gap[];
  };
  readonly lastReceived: bigint; // nanoseconds since the Unix epoch
}

const MAX_REASONS = 32;
const MAX_REASON_LENGTH = 200;

/** Keeps the account of one sender. */
export class SenderCounts {
  readonly #name: SenderName;
  readonly #reasons = new Map<string, number>();
  readonly #notStored: Partial<Record<NotStored, number>> = {};
  readonly #gaps = new SequenceGaps();
  #counts = { received: 0, accepted: 0, duplicated: 0, refused: 0 };
  #sequenced = false;
  #lastReceived = 0n;

  constructor(name: SenderName) {
    this.#name = name;
  }

  receive(records: number, at: bigint): void {
    this.#counts.received += records;
    this.#lastReceived = at;
  }

  leaveOut(reason: NotStored): void {
    this.#notStored[reason] = (this.#notStored[reason] ?? 0) + 1;
  }

  refuse(reason: string): void {
    this.#counts.refused += 1;
    const short = reason.slice(0, MAX_REASON_LENGTH);
    const told = this.#reasons.has(short) || this.#reasons.size < MAX_REASONS ? short : 'other reasons';
    this.#reasons.set(told, (this.#reasons.get(told) ?? 0) + 1);
  }

  /** `sequence`: the sender's own number of what is durable now, in decimal. */
  store({ duplicate, sequence }: { duplicate: boolean; sequence: string | undefined }): void {
    this.#counts[duplicate ? 'duplicated' : 'accepted'] += 1;
    if (sequence === undefined) return;
    this.#sequenced = true;
    this.#gaps.see(BigInt(sequence));
  }

  get account(): SenderAccount {
    return {
      ...this.#name,
      ...this.#counts,
      reasons: Object.fromEntries(this.#reasons),
      notStored: { ...this.#notStored },
      ...(this.#sequenced ? { sequence: this.#gaps.seen } : {}),
      lastReceived: this.#lastReceived,
    };
  }
}
