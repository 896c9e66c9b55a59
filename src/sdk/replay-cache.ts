const MAX_IDS = 100_000;

/**
 * Remembers ids of proofs for at least `windowMs`, in two generations. Bounded: when one window brings more than 100 000,
 * `add` says `full`, and the proof must not be accepted.
 */
export class ReplayCache {
  readonly #windowMs: number;
  #current = new Set<string>();
  #previous = new Set<string>();
  #startedMs = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(id: string, nowMs: number): 'new' | 'seen' | 'full' {
    this.#turn(nowMs);
    if (this.#current.has(id) || this.#previous.has(id)) return 'seen';
    if (this.#current.size >= MAX_IDS) return 'full';
    this.#current.add(id);
    return 'new';
  }

  #turn(nowMs: number): void {
    const age = nowMs - this.#startedMs;
    if (age >= 0 && age < this.#windowMs) return;
    this.#previous = age >= 2 * this.#windowMs ? new Set() : this.#current;
    this.#current = new Set();
    this.#startedMs = nowMs;
  }
}
