/** Beyond this a token is verified anew: its key may have been withdrawn. */
const MAX_AGE_MS = 300_000;
const MAX_CHARACTERS = 4 * 1024 * 1024;

interface Kept<T> {
  readonly value: T;
  readonly untilMs: number;
}

/**
 * What verified tokens said, until they expire and at most five minutes, bounded by the size of the tokens. Only what was
 * verified may be put in.
 */
export class TokenCache<T> {
  #recent = new Map<string, Kept<T>>();
  #older = new Map<string, Kept<T>>();
  #characters = 0;

  /** `nowMs`: milliseconds since the Unix epoch. */
  get(token: string, nowMs: number): T | undefined {
    const kept = this.#recent.get(token) ?? this.#promote(token);
    return kept !== undefined && nowMs < kept.untilMs ? kept.value : undefined;
  }

  set(token: string, value: T, o: { nowMs: number; expiresMs: number }): void {
    this.#put(token, { value, untilMs: Math.min(o.expiresMs, o.nowMs + MAX_AGE_MS) });
  }

  /** Two generations stand for an order of use: what was not asked for during a whole one goes. */
  #put(token: string, kept: Kept<T>): void {
    if (this.#characters + token.length > MAX_CHARACTERS / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#characters = 0;
    }
    this.#characters += token.length;
    this.#recent.set(token, kept);
  }

  #promote(token: string): Kept<T> | undefined {
    const kept = this.#older.get(token);
    if (kept === undefined) return undefined;
    this.#older.delete(token);
    this.#put(token, kept);
    return kept;
  }
}
