import type { Appended, Ledger, LedgerError } from '#ledger';
import type { Observation, Reporter } from '#observation';
import type { Accounting } from './account.ts';
import type { Admission } from './admission.ts';
import { CONTENT_TYPE, type ContentType, type Signal } from './answer.ts';
import type { SpanMemory } from './cause.ts';
import { KnownKeys } from './known-keys.ts';
import { type Observed, observeLogs, observeSpans } from './observe.ts';
import type { DecodeLimits, Group } from './otlp.ts';
import { decodeLogsJson, decodeTracesJson } from './otlp-json.ts';
import { decodeLogs, decodeTraces } from './otlp-protobuf.ts';
import { REPORTER_KEYS } from './reporter.ts';
import { RequestError, RPC_CODE } from './request-error.ts';
import { LOG_KEYS, SDK_KEYS } from './sdk-record.ts';
import type { SenderCounts, SenderName } from './sender-account.ts';
import { VOCABULARIES } from './vocabulary/read-span.ts';
import { given } from './vocabulary/reading.ts';

export const READ_IN_SPANS = new KnownKeys([...REPORTER_KEYS, ...VOCABULARIES.flatMap(({ keys }) => keys)]);
const READ_IN_LOGS = new KnownKeys([...REPORTER_KEYS, ...LOG_KEYS, ...SDK_KEYS]);

interface IntakeOptions {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly admission: Pick<Admission, 'shut' | 'gotThrough'>;
  readonly accounting: Accounting;
  readonly memory: SpanMemory;
  readonly idKey: Uint8Array;
  readonly maxParts: number;
  readonly now: () => bigint;
}

/** What a request that was taken is answered: how many records were refused for good, and why. */
export interface Taken {
  readonly rejected: number;
  readonly message: string;
}

/** The way of a request from its bytes into the ledger. */
export class Intake {
  readonly #o: IntakeOptions;
  #trouble: LedgerError | undefined;

  constructor(options: IntakeOptions) {
    this.#o = options;
  }

  /**
   * Decodes, maps and appends. Resolves only when every observation is durable, was durable already, or was refused for
   * good. A crash before that leaves the sender unanswered: it sends again, under the same observation ids.
   */
  async take(signal: Signal, type: ContentType, body: Uint8Array): Promise<Taken> {
    const { observations, refusals, remember } = this.#observe(signal, type, body);
    const refused = await this.#append(observations);
    remember();
    const all = [...refusals, ...refused];
    this.#o.accounting.add({ requests: 1, rejected: all.length });
    return { rejected: all.length, message: sumUp(all) };
  }

  /** What an operator must see to before anything can be stored, as the ledger last said. */
  get trouble(): LedgerError | undefined {
    return this.#trouble;
  }

  #observe(signal: Signal, type: ContentType, body: Uint8Array): Observed {
    const { accounting, maxParts, now, idKey, memory } = this.#o;
    const observer = { received: now(), idKey, memory, accounting };
    const isJson = type === CONTENT_TYPE.json;
    if (signal === 'traces') {
      const limits: DecodeLimits = { maxParts, keys: READ_IN_SPANS };
      const groups = isJson ? decodeTracesJson(body, limits) : decodeTraces(body, limits);
      accounting.add({ spans: recordsIn(groups) });
      return observeSpans(groups, observer);
    }
    const limits: DecodeLimits = { maxParts, keys: READ_IN_LOGS };
    const groups = isJson ? decodeLogsJson(body, limits) : decodeLogs(body, limits);
    accounting.add({ logRecords: recordsIn(groups) });
    return observeLogs(groups, observer);
  }

  /** The reasons of what the ledger refused. Whatever keeps it from answering is a reason to try again, never a 500. */
  async #append(observations: Observed['observations']): Promise<readonly string[]> {
    if (observations.length === 0) return [];
    const appended = await this.#o.ledger.append(observations).catch((error: unknown) => {
      if (isLedgerError(error) && error.code === 'overloaded') this.#o.admission.shut();
      if (isLedgerError(error) && error.fatal) this.#trouble = error;
      throw unavailable(error);
    });
    this.#o.admission.gotThrough();
    this.#trouble = undefined;
    return this.#account(appended, observations);
  }

  /** Counts what became of each observation; the reasons of those that were refused. */
  #account(appended: readonly Appended[], observations: readonly Observation[]): readonly string[] {
    const refused: string[] = [];
    let duplicates = 0;
    let reporter: Reporter | undefined;
    let sender: SenderCounts | undefined;
    for (const [i, each] of appended.entries()) {
      const by = observations[i]?.reporter;
      if (sender === undefined || by !== reporter) sender = this.#senderOf(by); // all spans of a resource have one reporter
      reporter = by;
      if (each.kind === 'refused') {
        sender.refuse(each.reason);
        refused.push(each.reason);
      } else {
        sender.store({ duplicate: each.duplicate, sequence: by?.sequence });
        if (each.duplicate) duplicates += 1;
      }
    }
    this.#o.accounting.add({ duplicates, sequenced: appended.length - refused.length - duplicates });
    return refused;
  }

  #senderOf(reporter: Reporter | undefined): SenderCounts {
    if (reporter === undefined) throw new TypeError('collector: the ledger answered more than it was given');
    const { service, namespace, instance } = reporter;
    return this.#o.accounting.sender(given<SenderName>({ service, namespace, instance }));
  }
}

/**
 * 503 for everything that kept the ledger from storing: the sender keeps what it has and sends it again. A log whose
 * state needs its operator is told apart by a longer wait; its error goes to the server's own log, not to the sender.
 */
function unavailable(error: unknown): RequestError {
  const retryAfterSeconds = isLedgerError(error) && error.retryable ? error.retryAfterSeconds : 30;
  return new RequestError(
    503,
    RPC_CODE.unavailable,
    'the ledger cannot store now; nothing was acknowledged, send again',
    {
      retryAfterSeconds,
      cause: error,
    },
  );
}

/** By name, not by class: the collector needs nothing of the ledger at run time but its `append`. */
const isLedgerError = (error: unknown): error is LedgerError => error instanceof Error && error.name === 'LedgerError';

const recordsIn = (groups: readonly Group<unknown>[]): number =>
  groups.reduce((sum, { records }) => sum + records.length, 0);

const MAX_REASONS = 5;

/** Reasons with how often each was given, the most frequent first. */
function sumUp(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  const told = sorted.slice(0, MAX_REASONS).map(([reason, count]) => `${count} × ${reason}`);
  const untold = sorted.length - told.length;
  return [...told, ...(untold > 0 ? [`and ${untold} other reasons`] : [])].join('; ');
}
