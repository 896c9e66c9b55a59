import { LedgerError } from './errors.ts';

export interface Limits {
  readonly entries: number;
  readonly bytes: number;
}

/** What one call takes up until it is settled. */
export interface Place {
  /** Adds what its entries weigh. */
  weigh(bytes: number): void;
  leave(): void;
}

/**
 * Bounds what waits to be sequenced. A call is let in whole or refused at once, before any work was done for it. One
 * larger than the limit is let in when nothing else waits: its sender could never send it otherwise.
 */
export class Room {
  readonly #limits: Limits;
  #entries = 0;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Throws LedgerError `overloaded`. */
  enter(entries: number): Place {
    const over = this.#entries + entries > this.#limits.entries || this.#bytes >= this.#limits.bytes;
    if (this.#entries > 0 && over) {
      throw new LedgerError('overloaded', `${this.#entries} entries wait to be sequenced; send again later`);
    }
    let weight = 0;
    this.#entries += entries;
    return {
      weigh: (bytes) => {
        weight += bytes;
        this.#bytes += bytes;
      },
      leave: () => {
        this.#entries -= entries;
        this.#bytes -= weight;
      },
    };
  }
}
