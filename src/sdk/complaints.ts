import { diag } from '@opentelemetry/api';

const INTERVAL_MS = 60_000;

/**
 * What goes wrong while the host runs, told on OpenTelemetry's diag: each kind at most once a minute, with how often it
 * happened since it was last told. Kinds are few: names in this program, nothing from outside.
 */
export class Complaints {
  readonly #now: () => number;
  readonly #told = new Map<string, { atMs: number; untold: number }>();

  /** `now`: milliseconds of a clock that does not step. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  say(level: 'warn' | 'error', kind: string, says: string): void {
    const nowMs = this.#now();
    const told = this.#told.get(kind);
    if (told !== undefined && nowMs - told.atMs < INTERVAL_MS) {
      told.untold += 1;
      return;
    }
    this.#told.set(kind, { atMs: nowMs, untold: 0 });
    const more = told === undefined || told.untold === 0 ? '' : ` (and ${told.untold} times since this was last said)`;
    diag[level](`behalf: ${says}${more}`);
  }
}
