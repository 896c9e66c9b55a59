import { setImmediate as afterArrivals } from 'node:timers/promises';
import { rightEdge } from '@behalf/verify';
import type { Database } from '#database';
import { type Hashed, type Pending, type Position, type Prepared, prepareBatch, type Sequenced } from './batch.ts';
import { toLedgerError } from './database-error.ts';
import { edgeFromTiles, rootOfEdge } from './edge.ts';
import { LedgerError } from './errors.ts';
import { digestLeaf, sameBytes } from './hash.ts';
import { idKey, KnownIds } from './known-ids.ts';
import { Places } from './places.ts';
import { appendBatchTellingSent } from './sql/append.ts';
import { selectIdBuckets } from './sql/id-bucket.ts';
import { selectLog } from './sql/log.ts';
import { selectTiles } from './sql/tile.ts';

interface Call {
  readonly entries: readonly Hashed[];
  readonly bytes: number;
  readonly resolve: (sequenced: readonly Sequenced[]) => void;
  readonly reject: (error: unknown) => void;
}
/** Calls and what becomes of them, worked out on a position; void once that position was lost. */
interface Batch extends Prepared {
  readonly calls: readonly Call[];
  readonly number: number;
  readonly on: View;
}
/** A batch that is being stored: whether it was, or what the database said. */
interface Sent {
  readonly batch: Batch;
  readonly outcome: Promise<{ readonly moved: boolean } | { readonly error: unknown }>;
  /** Its bytes are on their way, or it is known what became of it: what keeps this thread busy may be done now. */
  readonly underWay: Promise<unknown>;
  done: boolean;
}
/** What this writer holds to be the log, with every batch it has sent: the next one builds on it. */
interface View {
  position: Position;
  readonly known: KnownIds;
}
const WINDOW_HOURS = 24;
const BATCH = { entries: 4096, bytes: 4 * 2 ** 20 };
/** With this many waiting, the next batch is worked out while the one before commits. */
const AHEAD = 256;

export interface SequencerOptions {
  readonly database: Database;
  readonly logId: number;
  /** Most entries and bytes in one transaction; a call that is larger has its own. */
  readonly batch?: { readonly entries: number; readonly bytes: number };
  /** An observation sent again within this many hours (24..8784) is stored once. Whole days are forgotten: up to a day more. */
  readonly windowHours?: number;
}

/**
 * The only writer of entries. No timer: everything that waits is taken as soon as the previous commit returned, and worked
 * out before it when enough waits. One statement per batch; the compare-and-swap of (size, root) in it is the fence, so
 * several servers on one database never make two histories: the loser reads the log again and retries. An append resolves
 * only after its commit.
 */
export class Sequencer {
  readonly #database: Database;
  readonly #logId: number;
  readonly #batch: { readonly entries: number; readonly bytes: number };
  readonly #places: Places;
  readonly #queue: Call[] = [];
  #waiting = 0;
  #arrived: (() => void) | undefined;
  #view: View | undefined;
  #draining: Promise<void> | undefined;
  #halted: LedgerError | undefined;
  #closing = false;

  constructor({ database, logId, batch = BATCH, windowHours = WINDOW_HOURS }: SequencerOptions) {
    this.#database = database;
    this.#logId = logId;
    this.#batch = batch;
    this.#places = new Places(database, logId, windowHours);
  }

  /**
   * Sequences a call's entries in order, each exactly once, all in one transaction: durable when the promise resolves;
   * rejected with a LedgerError, they are not known to be stored, and sending them again is safe.
   */
  append(entries: readonly Pending[]): Promise<readonly Sequenced[]> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#halted !== undefined) throw this.#halted ?? closed();
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
      // Hashed on arrival: the batch before is in the database meanwhile.
      const hashed = entries.map((entry) => ({
        bytes: entry.bytes,
        leaf: digestLeaf(entry.bytes),
        id: idKey(entry.id),
      }));
      this.#queue.push({ entries: hashed, bytes, resolve, reject });
      this.#waiting += entries.length;
      if (this.#waiting >= AHEAD) this.#arrived?.();
      this.#draining ??= this.#drain();
    });
  }

  /** Refuses everything from now on, and what waits, with this error. The first one stays. */
  halt(error: LedgerError): void {
    this.#halted ??= error;
  }

  /** Refuses new calls; resolves when those that wait are settled. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    let sent: Sent | undefined;
    while (sent !== undefined || this.#queue.length > 0) {
      await this.#enough(sent);
      sent = sent === undefined || sent.done ? await this.#sendAll(sent) : await this.#sendAhead(sent);
    }
    this.#draining = undefined;
  }

  /** While a batch commits: until it has, or enough waits for the next. */
  async #enough(sent: Sent | undefined): Promise<void> {
    if (sent === undefined || sent.done || this.#waiting >= AHEAD) return;
    const arrived = new Promise<void>((resolve) => {
      this.#arrived = resolve;
    });
    await Promise.race([sent.outcome, arrived]);
    this.#arrived = undefined;
  }

  /** Answers the batch that committed, and sends what waits then. */
  async #sendAll(before: Sent | undefined): Promise<Sent | undefined> {
    if (before !== undefined) await this.#finish(before);
    await afterArrivals(); // a caller's whole burst is in before the batch is cut
    const next = await this.#begin(this.#take({ isAhead: false }));
    return next && this.#send(next);
  }

  /** Works the next batch out while one commits, and sends it before that one's callers are answered. */
  async #sendAhead(before: Sent): Promise<Sent | undefined> {
    await before.underWay;
    const next = await this.#begin(this.#take({ isAhead: true }));
    const outcome = await before.outcome;
    if (!('moved' in outcome && outcome.moved)) {
      await this.#finish(before);
      return next && this.#send(next);
    }
    const sent = next && (await this.#send(next));
    await sent?.underWay; // callers that are answered come again at once
    this.#settle(before.batch);
    return sent;
  }

  /**
   * Whole calls, at least one if any waits, up to the limits of a batch. When nothing commits and many wait, half of
   * them: the rest is worked out while these commit, and from then on the two take turns.
   */
  #take({ isAhead }: { readonly isAhead: boolean }): Call[] {
    const most = !isAhead && this.#waiting > 2 * AHEAD ? this.#waiting / 2 : this.#waiting;
    let [calls, entries, bytes] = [0, 0, 0];
    for (const call of this.#queue) {
      const after = entries + call.entries.length;
      bytes += call.bytes;
      if (calls > 0 && (after > Math.min(most, this.#batch.entries) || bytes > this.#batch.bytes)) break;
      entries = after;
      calls += 1;
    }
    this.#waiting -= entries;
    return this.#queue.splice(0, calls);
  }

  /** Works a batch out; calls that cannot be are rejected, and then there is none. */
  async #begin(calls: readonly Call[]): Promise<Batch | undefined> {
    if (calls.length === 0) return undefined;
    try {
      if (this.#halted !== undefined) throw this.#halted;
      return await this.#prepare(calls);
    } catch (error) {
      return this.#fail(calls, error);
    }
  }

  async #prepare(calls: readonly Call[]): Promise<Batch> {
    const entries = calls.flatMap((call) => call.entries);
    this.#view ??= await this.#look();
    const view = this.#view;
    const number = view.known.begin();
    const missing = view.known.missing(entries.map(({ id }) => id));
    if (missing.length > 0) {
      // Read after the position was: whoever stored one of them since has moved the log, and this batch is lost.
      view.known.learn(missing, await selectIdBuckets(this.#writer, this.#logId, missing));
    }
    const prepared = prepareBatch(entries, view.position, view.known);
    view.position = prepared.position;
    return { ...prepared, calls, number, on: view };
  }

  /** Starts to store a batch; one whose position was lost meanwhile is worked out again. */
  async #send(prepared: Batch): Promise<Sent | undefined> {
    const batch = prepared.on === this.#view ? prepared : await this.#begin(prepared.calls);
    if (batch === undefined) return undefined;
    const { promise: left, resolve: onSent } = Promise.withResolvers<void>();
    const outcome = this.#store(batch, onSent).then(
      (moved) => ({ moved }),
      (error: unknown) => ({ error }),
    );
    const sent: Sent = { batch, done: false, outcome, underWay: Promise.race([left, outcome]) };
    void sent.outcome.then(() => {
      sent.done = true;
    });
    return sent;
  }

  async #store({ rows }: Batch, onSent: () => void): Promise<boolean> {
    if (this.#halted !== undefined) throw this.#halted;
    if (rows === undefined) return true;
    await this.#places.make(rows.to.size);
    try {
      return await appendBatchTellingSent(this.#writer, this.#logId, rows, onSent);
    } catch (error) {
      if (!isMissingPartition(error)) throw error;
      // Nothing was stored. The database's clock leapt past the days that were made, or someone took a partition away.
      this.#places.doubt();
      await this.#places.make(rows.to.size);
      return appendBatchTellingSent(this.#writer, this.#logId, rows, onSent);
    }
  }

  /** Settles a batch's calls. Retries for as long as other writers win: each loss means that another batch was committed. */
  async #finish(sent: Sent): Promise<void> {
    for (let at: Sent | undefined = sent; at !== undefined; ) {
      const outcome = await at.outcome;
      if ('error' in outcome) return this.#fail(at.batch.calls, outcome.error);
      if (outcome.moved) return this.#settle(at.batch);
      this.#view = undefined;
      at = await this.#send(at.batch);
    }
  }

  #settle({ calls, sequenced, number, on }: Batch): void {
    on.known.settled(number);
    let at = 0;
    for (const { entries, resolve } of calls) {
      resolve(sequenced.slice(at, at + entries.length));
      at += entries.length;
    }
  }

  #fail(calls: readonly Call[], error: unknown): undefined {
    this.#view = undefined; // what the database holds is not known: read it again before the next batch
    this.#places.doubt();
    const told = toLedgerError(error);
    for (const { reject } of calls) reject(told);
  }

  get #writer() {
    return this.#database.pool('writer');
  }

  /** The log as it stands; ids beyond the window are forgotten first. */
  async #look(): Promise<View> {
    await this.#places.keepWindow();
    return { position: await this.#load(), known: new KnownIds() };
  }

  /**
   * Reads the right edge and refuses to build on one that does not hash to the stored root. Tiles read after the log's row
   * may have grown since; what they held at its size they still begin with.
   */
  async #load(): Promise<Position> {
    const logId = this.#logId;
    const log = await selectLog(this.#writer, logId);
    if (log === undefined) throw new LedgerError('missing', `log ${logId} is not in the database any more`);
    const edge = edgeFromTiles(log.size, await selectTiles(this.#writer, logId, rightEdge(log.size)));
    const root = rootOfEdge(edge);
    if (sameBytes(log.root, root)) return { edge, root };
    throw new LedgerError(
      'corrupt',
      `tiles of log ${logId} do not hash to its stored root at size ${log.size}; nothing was appended; run behalf fsck`,
    );
  }
}

/** PostgreSQL has no place for a row: a violated check without the name of one. */
const isMissingPartition = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23514' && !('constraint' in error && error.constraint);

const closed = () => new LedgerError('closing', 'the ledger is closing; send again to another server, or later');
