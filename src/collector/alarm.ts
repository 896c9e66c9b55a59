import { looksSecret } from './secret.ts';

/** Told what an operator should know of: why requests were answered 5xx. */
export type OnAlarm = (error: Error) => void;

const SILENCE_MS = 10_000;
const MAX_KINDS = 64;

/**
 * Tells of each kind of trouble at most every ten seconds, with how often it came in between: a database that is away
 * fails thousands of requests a second. Bodies, headers and attribute values are in none of it.
 */
export class Alarm {
  readonly #tell: OnAlarm;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { readonly told: number; untold: number }>();

  /** `now` in milliseconds of a clock that never goes back. */
  constructor(tell: OnAlarm, now: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  raise(status: number, error: unknown): void {
    const says = `collector: answered ${status}: ${wordsOf(error)}`;
    const known = this.#kinds.get(says);
    if (known !== undefined && this.#now() - known.told < SILENCE_MS) {
      known.untold += 1;
      return;
    }
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    this.#kinds.set(says, { told: this.#now(), untold: 0 });
    this.#tell(new Error(known?.untold ? `${says} (and ${known.untold} times before)` : says, { cause: error }));
  }
}

/** What an error says; of its causes only name and code: a database's own words may quote what was to be stored. */
function wordsOf(error: unknown): string {
  const words = [error instanceof Error ? `${error.name}: ${error.message}` : typeof error];
  for (let at = causeOf(error); at instanceof Error && words.length < 4; at = at.cause) {
    words.push('code' in at ? `${at.name} ${String(at.code)}` : at.name);
  }
  const line = words.join(' <- ').replaceAll(/\s+/g, ' ').slice(0, 500);
  return looksSecret(line)
    ? `${error instanceof Error ? error.name : typeof error} (its words look like a secret)`
    : line;
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);
