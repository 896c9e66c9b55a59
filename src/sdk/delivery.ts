import type { Backlog } from './backlog.ts';
import { Complaints } from './complaints.ts';
import type { Exported, LogExport } from './otlp-transport.ts';

/** What became of the observations of one sender since its start. */
export interface DeliveryReport {
  /** Taken by the collector. */
  readonly delivered: number;
  /** Will never arrive: there was no room, the collector refused them, or the sender was stopped. */
  readonly lost: number;
  /** Still waiting. */
  readonly pending: number;
}

export interface DeliveryOptions {
  readonly send: LogExport;
  readonly backlog: Backlog;
  /** How long an observation may wait for company. */
  readonly delayMs: number;
  /** True when what still waits at the end is there at the next start. */
  readonly outlives: boolean;
}

interface Confirmation {
  /** Settled when this many observations are. */
  readonly at: number;
  readonly resolve: (isDurable: boolean) => void;
}

const COMPANY = 512;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

/**
 * What sends a backlog to the collector. It never throws into, blocks or keeps alive the host; what the collector cannot
 * take now waits and is sent again, what it will never take is counted as lost and told on OpenTelemetry's diag.
 */
export class Delivery {
  readonly #o: DeliveryOptions;
  #delivered = 0;
  #lost = 0;
  #settled = 0;
  #failures = 0;
  readonly #complaints = new Complaints();
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #retryAfterMs: number | undefined;
  #confirmations: Confirmation[] = [];

  constructor(o: DeliveryOptions) {
    this.#o = o;
    if (o.backlog.pending > 0) this.#schedule(o.delayMs);
  }

  get lost(): number {
    return this.#lost;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Something was put into the backlog. */
  notify(): void {
    if (this.#timer === undefined && this.#sending === undefined)
      this.#schedule(this.#o.backlog.pending >= COMPANY ? 0 : this.#o.delayMs);
    else if (this.#o.backlog.pending === COMPANY && this.#failures === 0) this.#hurry();
  }

  /**
   * Sends at once, and resolves true when the collector has all that waits now: it is durable in the ledger then. False
   * after `timeoutMs`, and when the collector refused any of it. Never rejects.
   */
  confirm(timeoutMs: number): Promise<boolean> {
    const at = this.#settled + this.#o.backlog.pending;
    if (this.#closed) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    this.#confirmations.push({ at, resolve });
    this.#hurry();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#confirmations = this.#confirmations.filter((each) => each.resolve !== resolve);
    });
  }

  report(): DeliveryReport {
    return { delivered: this.#delivered, lost: this.#lost, pending: this.#o.backlog.pending };
  }

  lose(count: number, why: string): void {
    this.#complaints.say('error', 'lost', `observations are being lost: ${why}; see lost in the result of flush()`);
    this.#lost += count;
  }

  /** Sends what waits, for at most `timeoutMs`. Resolves in any case. */
  async flush(timeoutMs: number): Promise<DeliveryReport> {
    const deadline = Date.now() + timeoutMs;
    while (this.#o.backlog.pending > 0 && Date.now() < deadline) {
      const before = this.#failures;
      await within(deadline - Date.now(), this.#sendOnce());
      if (this.#failures > before) await within(deadline - Date.now(), pause(FIRST_BACKOFF_MS));
    }
    return this.report();
  }

  /** Flushes, then takes nothing more; what still waits is kept by a backlog that outlives us, else lost and counted. */
  async close(timeoutMs: number): Promise<DeliveryReport> {
    await this.flush(timeoutMs);
    if (this.#closed) return this.report();
    this.#closed = true;
    clearTimeout(this.#timer);
    const left = this.#o.backlog.pending;
    this.#o.backlog.close();
    for (const { resolve } of this.#confirmations) resolve(false);
    if (left > 0 && !this.#o.outlives) this.lose(left, 'the sender was stopped before the collector took them');
    return this.report();
  }

  #hurry(): void {
    if (this.#failures > 0) return; // the collector is away: the backoff holds
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule(0);
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
      const { pending } = this.#o.backlog;
      const isAwaited = pending >= COMPANY || this.#confirmations.length > 0;
      if (pending > 0) this.#schedule(isAwaited ? 0 : this.#o.delayMs);
    });
    return this.#sending;
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#o.backlog.take();
    if (batch === undefined) return;
    const outcome = await this.#o.send(batch);
    if (this.#closed) return; // already counted
    if (outcome.kind === 'retry') return this.#postpone(outcome);
    this.#failures = 0;
    const { count } = batch;
    const lost = outcome.kind === 'refused' ? count : outcome.rejected;
    this.#o.backlog.settle();
    this.#settled += count;
    this.#delivered += count - lost;
    if (lost > 0) this.lose(lost, outcome.says ?? 'the collector rejected them');
    for (const { at, resolve } of this.#confirmations) if (at <= this.#settled) resolve(lost === 0);
  }

  #postpone({ says, afterMs }: Extract<Exported, { kind: 'retry' }>): void {
    this.#failures += 1;
    this.#retryAfterMs = afterMs;
    this.#complaints.say('warn', 'away', `observations wait, the collector cannot be reached: ${says}`);
  }

  #backoffMs(): number {
    const backoff = FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures - 1, 10) * (0.8 + 0.4 * Math.random());
    return Math.min(Math.max(backoff, this.#retryAfterMs ?? 0), MAX_BACKOFF_MS);
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
