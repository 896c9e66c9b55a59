/** A set of the texts that were added lately: between half of `capacity` and all of it. */
export class RecentTexts {
  readonly #half: number;
  #recent = new Set<string>();
  #older = new Set<string>();

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.floor(capacity / 2));
  }

  has(text: string): boolean {
    return this.#recent.has(text) || this.#older.has(text);
  }

  add(text: string): void {
    if (this.#recent.size >= this.#half) [this.#older, this.#recent] = [this.#recent, new Set()];
    this.#recent.add(text);
  }
}
