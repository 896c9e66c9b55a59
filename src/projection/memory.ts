import type { Recorded } from '#chains';

/** Most entries that are remembered: a parsed one takes some kilobytes. */
const MOST_ENTRIES = 10_000;

/**
 * The entries of the sets last stitched, so that one more entry of a set does not read the others again. What is remembered
 * holds at one position only: whoever finds the projection elsewhere, or fails, forgets all of it.
 */
export class Memory {
  readonly #sets = new Map<bigint, readonly Recorded[]>(); // the longest untouched first
  #entries = 0;
  #position = 0n;

  /** Before a step: forgets everything unless this is where the last one ended. */
  standAt(position: bigint): void {
    if (position !== this.#position) this.forgetAll();
    this.#position = position;
  }

  /** At the end of a step; it is told to forget when the step does not commit. */
  moveTo(position: bigint): void {
    this.#position = position;
  }

  /** What is remembered of a set, which is forgotten: `keep` what it has become. */
  take(set: bigint): readonly Recorded[] {
    const members = this.#sets.get(set) ?? [];
    if (this.#sets.delete(set)) this.#entries -= members.length;
    return members;
  }

  keep(set: bigint, members: readonly Recorded[]): void {
    this.#sets.set(set, members);
    this.#entries += members.length;
    for (const [oldest] of this.#sets) {
      if (this.#entries <= MOST_ENTRIES) return;
      this.take(oldest);
    }
  }

  forgetAll(): void {
    this.#sets.clear();
    this.#entries = 0;
  }
}
