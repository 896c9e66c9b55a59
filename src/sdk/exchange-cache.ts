import type { ExchangedToken } from './token-exchange.ts';

/** A token is asked for anew this long before it expires. */
const EARLY_MS = 10_000;
const MAX_TOKENS = 1000;

/** Keeps exchanged tokens until shortly before they expire, the most recent 1000. Who asks while one is fetched waits for it. */
export class ExchangeCache {
  readonly #kept = new Map<string, ExchangedToken>();
  readonly #underway = new Map<string, Promise<ExchangedToken>>();

  get(key: string, fetch: () => Promise<ExchangedToken>): Promise<ExchangedToken> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.expiresAtMs - EARLY_MS > Date.now()) return Promise.resolve(kept);
    const underway = this.#underway.get(key) ?? this.#fetch(key, fetch);
    this.#underway.set(key, underway);
    return underway;
  }

  #fetch(key: string, fetch: () => Promise<ExchangedToken>): Promise<ExchangedToken> {
    return fetch()
      .then((token) => {
        this.#kept.delete(key);
        this.#kept.set(key, token);
        const [oldest] = this.#kept.keys();
        if (this.#kept.size > MAX_TOKENS && oldest !== undefined) this.#kept.delete(oldest);
        return token;
      })
      .finally(() => this.#underway.delete(key));
  }
}
