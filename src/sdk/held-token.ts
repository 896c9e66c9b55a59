import type { Anomalies } from './anomalies.ts';
import type { TokenSource } from './settings.ts';
import { unverifiedClaims } from './token-claims.ts';

/**
 * The service's own token where a call cannot wait for it. A function is asked with every call, the first time when this is
 * made; one that answers later gives the token for the calls after it, until that token's `exp`. A call that the function
 * itself makes does not ask again.
 */
export class HeldToken {
  readonly #source: TokenSource | undefined;
  #last: string | undefined;
  #isAsking = false;
  #hasFailed = false;

  constructor(source: TokenSource | undefined) {
    this.#source = source;
    this.#ask();
  }

  /** The token as it is known now; a source that failed when it last answered is named as an anomaly. */
  get(anomalies: Anomalies): string | undefined {
    this.#ask();
    if (this.#hasFailed) anomalies.add('token_source_failed', 'the token function given to startBehalf threw');
    return this.#last !== undefined && isCurrent(this.#last) ? this.#last : undefined;
  }

  #ask(): void {
    const source = this.#source;
    if (typeof source !== 'function') this.#last = source;
    else if (!this.#isAsking) this.#askFunction(source);
  }

  #askFunction(source: Exclude<TokenSource, string>): void {
    this.#isAsking = true;
    try {
      const answer = source();
      if (answer instanceof Promise) answer.then(this.#take, this.#fail);
      else this.#take(answer);
    } catch {
      this.#fail(); // the host's function: the call goes on without a new token, and says so
    }
  }

  readonly #take = (token: string | undefined): void => {
    this.#last = token;
    this.#hasFailed = false;
    this.#isAsking = false;
  };

  readonly #fail = (): void => {
    this.#hasFailed = true;
    this.#isAsking = false;
  };
}

/** An opaque token tells no end. */
function isCurrent(token: string): boolean {
  const exp = unverifiedClaims(token)?.exp;
  return typeof exp !== 'number' || exp * 1000 > Date.now();
}
