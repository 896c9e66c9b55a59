/** Numbers `from` to `to`, both included. */
export interface Gap {
  readonly from: bigint;
  readonly to: bigint;
}

const MAX_GAPS = 256;

/**
 * Which of a sender's own sequence numbers never came, in any order of coming. It speaks of what lies between the lowest
 * and the highest seen; where more than 256 gaps are open the oldest is counted and no longer watched.
 */
export class SequenceGaps {
  #lowest: bigint | undefined;
  #highest = 0n;
  #gaps: Gap[] = []; // apart from each other, in order
  #givenUp = 0n;

  see(number: bigint): void {
    if (this.#lowest === undefined) {
      this.#lowest = number;
      this.#highest = number;
    } else if (number > this.#highest) {
      this.#open({ from: this.#highest + 1n, to: number - 1n });
      this.#highest = number;
    } else if (number < this.#lowest) {
      this.#open({ from: number + 1n, to: this.#lowest - 1n });
      this.#lowest = number;
    } else this.#fill(number);
  }

  get seen(): { readonly from: bigint; readonly to: bigint; readonly missing: bigint; readonly gaps: readonly Gap[] } {
    const open = this.#gaps.reduce((sum, { from, to }) => sum + to - from + 1n, 0n);
    return { from: this.#lowest ?? 0n, to: this.#highest, missing: open + this.#givenUp, gaps: [...this.#gaps] };
  }

  #open(gap: Gap): void {
    if (gap.to < gap.from) return;
    const at = this.#gaps.findIndex(({ from }) => from > gap.to);
    this.#gaps.splice(at < 0 ? this.#gaps.length : at, 0, gap);
    if (this.#gaps.length <= MAX_GAPS) return;
    const oldest = this.#gaps.shift();
    if (oldest !== undefined) this.#givenUp += oldest.to - oldest.from + 1n;
  }

  #fill(number: bigint): void {
    const at = this.#gaps.findIndex(({ from, to }) => from <= number && number <= to);
    const gap = this.#gaps[at];
    if (gap === undefined) return;
    const rest = [
      { from: gap.from, to: number - 1n },
      { from: number + 1n, to: gap.to },
    ].filter(({ from, to }) => from <= to);
    this.#gaps.splice(at, 1, ...rest);
  }
}
