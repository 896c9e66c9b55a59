const LONGEST_MS = 300_000;

/** When to ask again for one checkpoint: after a pause that doubles each time, five minutes at most. */
export class Again {
  readonly #now: () => number;
  #size: bigint | undefined;
  #pauseMs = 0;
  #at = 0;

  /** `now` in milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  isDue(size: bigint): boolean {
    return this.#size === size && this.#now() >= this.#at;
  }

  /** The first pause for a checkpoint is `firstMs`. */
  later(size: bigint, firstMs: number): void {
    this.#pauseMs = this.#size === size ? Math.min(this.#pauseMs * 2, LONGEST_MS) : firstMs;
    this.#size = size;
    this.#at = this.#now() + this.#pauseMs;
  }

  over(): void {
    this.#size = undefined;
  }
}
