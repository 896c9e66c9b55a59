/** Numbers from a seed: the same seed gives the same corpus on every machine (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance = (probability: number): boolean => this.next() < probability;

  /** From `least` to `most`, both included. */
  between = (least: number, most: number): number => least + Math.floor(this.next() * (most - least + 1));

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.between(0, list.length - 1)] ?? list[0];
  }

  hex = (digits: number): string =>
    Array.from({ length: digits }, (_, i) => this.between(i === 0 ? 1 : 0, 15).toString(16)).join('');

  shuffle<T>(list: readonly T[]): T[] {
    return list
      .map((each) => ({ each, at: this.next() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ each }) => each);
  }
}
