/** Why a record that was taken makes no observation. It was fine OTLP; there was nothing in it for the ledger. */
export type NotStored =
  | 'internal_span' // neither identity nor a boundary: it only connects others
  | 'repeats_parent' // an internal span that names the same user as the span around it
  | 'other_log_record'; // not one of the SDK's observations

/** What became of everything a collector was sent. Counts only grow; read them for metrics and completeness. */
export interface Account {
  readonly requests: number;
  readonly refusedRequests: Readonly<Record<string, number>>; // by HTTP status
  readonly spans: number;
  readonly logRecords: number;
  readonly sequenced: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly notStored: Readonly<Record<NotStored, number>>;
}

/** Keeps the account of one collector. */
export class Accounting {
  #counts = { requests: 0, spans: 0, logRecords: 0, sequenced: 0, duplicates: 0, rejected: 0 };
  readonly #refused = new Map<string, number>();
  readonly #notStored = { internal_span: 0, repeats_parent: 0, other_log_record: 0 };

  add(
    counts: Partial<
      Readonly<Record<'requests' | 'spans' | 'logRecords' | 'sequenced' | 'duplicates' | 'rejected', number>>
    >,
  ): void {
    for (const key of ['requests', 'spans', 'logRecords', 'sequenced', 'duplicates', 'rejected'] as const)
      this.#counts[key] += counts[key] ?? 0;
  }

  refuse(status: number): void {
    this.#refused.set(String(status), (this.#refused.get(String(status)) ?? 0) + 1);
  }

  leaveOut(reason: NotStored): void {
    this.#notStored[reason] += 1;
  }

  get account(): Account {
    return {
      ...this.#counts,
      refusedRequests: Object.fromEntries(this.#refused),
      notStored: { ...this.#notStored },
    };
  }
}
