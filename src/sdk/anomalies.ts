/** What was malformed or over a limit; kept as evidence, never cut silently. */
export interface Anomaly {
  readonly code: string;
  readonly detail?: string;
}

/** The closed observation schema takes this many. */
const MAX_ANOMALIES = 32;

/** Collects anomalies of one observation; the last place says how many more there were. */
export class Anomalies {
  readonly #kept: Anomaly[] = [];
  #more = 0;

  add(code: string, detail?: string): void {
    if (this.#kept.length < MAX_ANOMALIES - 1) this.#kept.push(detail === undefined ? { code } : { code, detail });
    else this.#more += 1;
  }

  all(): readonly Anomaly[] {
    if (this.#more === 0) return this.#kept;
    return [...this.#kept, { code: 'more_anomalies', detail: `${this.#more} more` }];
  }
}
