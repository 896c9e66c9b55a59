import { diag } from '@opentelemetry/api';
import type { LogRecordProcessor, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Exported, LogExport } from './otlp-transport.ts';

/** What became of the observations of one sender since its start. */
export interface DeliveryReport {
  /** Taken by the collector. */
  readonly delivered: number;
  /** Will never arrive: the queue was full, the collector refused them, or the sender was stopped. */
  readonly lost: number;
  /** Still waiting. */
  readonly pending: number;
}

export interface DeliveryOptions {
  readonly send: LogExport;
  /** Most observations waiting. One more is lost, and counted. */
  readonly queueSize: number;
  /** How long an observation may wait for company. */
  readonly delayMs: number;
}

const MAX_BATCH = 512;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

/**
 * The bounded queue between the host and the collector. It never throws into, blocks or keeps alive the host; what the
 * collector cannot take now waits and is sent again, what it will never take is counted as lost and said once on
 * OpenTelemetry's diag. The stock batch processor drops a failed batch and counts nothing.
 * Kept in memory: a crash of the process loses what is pending, and the gap in the sequence numbers shows it.
 */
export class Delivery implements LogRecordProcessor {
  readonly #o: DeliveryOptions;
  #waiting: ReadableLogRecord[] = [];
  #delivered = 0;
  #lost = 0;
  #failures = 0;
  #saidTrouble = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;

  constructor(o: DeliveryOptions) {
    this.#o = o;
  }

  onEmit(record: ReadableLogRecord): void {
    if (this.#closed || this.#waiting.length >= this.#o.queueSize) {
      this.#lose(1, this.#closed ? 'the sender was stopped' : `${this.#o.queueSize} observations are waiting`);
      return;
    }
    this.#waiting.push(record);
    this.#schedule(this.#waiting.length >= MAX_BATCH ? 0 : this.#o.delayMs);
  }

  report(): DeliveryReport {
    return { delivered: this.#delivered, lost: this.#lost, pending: this.#waiting.length };
  }

  /** Sends what waits, for at most `timeoutMs`. Resolves in any case. */
  async flush(timeoutMs: number): Promise<DeliveryReport> {
    const deadline = Date.now() + timeoutMs;
    while (this.#waiting.length > 0 && Date.now() < deadline) {
      const before = this.#failures;
      await within(deadline - Date.now(), this.#sendOnce());
      if (this.#failures > before) await within(deadline - Date.now(), pause(FIRST_BACKOFF_MS));
    }
    return this.report();
  }

  /** Flushes, then takes nothing more; what still waits is lost, and counted. */
  async close(timeoutMs: number): Promise<DeliveryReport> {
    await this.flush(timeoutMs);
    this.#closed = true;
    clearTimeout(this.#timer);
    const left = this.#waiting.length;
    this.#waiting = [];
    if (left > 0) this.#lose(left, 'the sender was stopped before the collector took them');
    return this.report();
  }

  async forceFlush(): Promise<void> {
    await this.flush(5_000);
  }

  async shutdown(): Promise<void> {
    await this.close(5_000);
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#timer !== undefined || this.#sending !== undefined) return;
    this.#timer = setTimeout(() => void this.#sendOnce(), this.#failures > 0 ? this.#backoffMs() : delayMs);
    this.#timer.unref();
  }

  /** One batch at a time: a second caller waits for the batch in flight. */
  #sendOnce(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#sendBatch().finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0) this.#schedule(this.#waiting.length >= MAX_BATCH ? 0 : this.#o.delayMs);
    });
    return this.#sending;
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#waiting.slice(0, MAX_BATCH);
    if (batch.length === 0) return;
    const outcome = await this.#o.send(batch);
    if (this.#closed) return; // already counted as lost
    if (outcome.kind === 'retry') return this.#postpone(outcome);
    this.#failures = 0;
    this.#waiting = this.#waiting.slice(batch.length);
    if (outcome.kind === 'refused') return this.#lose(batch.length, outcome.says);
    this.#delivered += batch.length - outcome.rejected;
    if (outcome.rejected > 0) this.#lose(outcome.rejected, outcome.says ?? 'the collector rejected them');
  }

  #postpone({ says, afterMs }: Extract<Exported, { kind: 'retry' }>): void {
    this.#failures += 1;
    this.#retryAfterMs = afterMs;
    if (this.#failures === 1) this.#sayOnce(`observations wait, the collector cannot be reached: ${says}`);
  }
  #retryAfterMs: number | undefined;

  #backoffMs(): number {
    const backoff = FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures - 1, 10) * (0.8 + 0.4 * Math.random());
    return Math.min(Math.max(backoff, this.#retryAfterMs ?? 0), MAX_BACKOFF_MS);
  }

  #lose(count: number, why: string): void {
    if (this.#lost === 0) diag.error(`behalf: observations are being lost: ${why}; see lost in the result of flush()`);
    this.#lost += count;
  }

  #sayOnce(says: string): void {
    if (this.#saidTrouble) return;
    this.#saidTrouble = true;
    diag.warn(`behalf: ${says}`);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
