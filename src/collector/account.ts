import { type SenderAccount, SenderCounts, type SenderName } from './sender-account.ts';

/** Why a record that was taken makes no observation. It was fine OTLP; there was nothing in it for the ledger. */
export type NotStored =
  | 'internal_span' // neither identity nor a boundary: it only connects others
  | 'repeats_parent' // an internal span that names the same user as the span around it
  | 'other_log_record' // not one of the SDK's observations
  | 'own_telemetry'; // a Behalf server told it of itself

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

const MAX_SENDERS = 1_000;

/** Keeps the account of one collector. */
export class Accounting {
  #counts = { requests: 0, spans: 0, logRecords: 0, sequenced: 0, duplicates: 0, rejected: 0 };
  readonly #refused = new Map<string, number>();
  readonly #senders = new Map<string, SenderCounts>();
  readonly #others = new SenderCounts({ service: '(others)' });
  readonly #notStored = { internal_span: 0, repeats_parent: 0, other_log_record: 0, own_telemetry: 0 };

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

  /** The account of one sender, made when it is new. Beyond 1,000 senders all further ones share the account `(others)`. */
  sender(name: SenderName): SenderCounts {
    const key = JSON.stringify([name.service, name.namespace, name.instance]);
    const known = this.#senders.get(key);
    if (known !== undefined) return known;
    if (this.#senders.size >= MAX_SENDERS) return this.#others;
    const counts = new SenderCounts(name);
    this.#senders.set(key, counts);
    return counts;
  }

  get senders(): readonly SenderAccount[] {
    const { account: others } = this.#others;
    return [...[...this.#senders.values()].map(({ account }) => account), ...(others.received > 0 ? [others] : [])];
  }

  get account(): Account {
    return {
      ...this.#counts,
      refusedRequests: Object.fromEntries(this.#refused),
      notStored: { ...this.#notStored },
    };
  }
}
