import { rightEdge } from '@behalf/verify';
import { type Database, transaction } from '#database';
import { toLedgerError } from './database-error.ts';
import { appendLeaves, type Edge, edgeFromTiles, rootOfEdge } from './edge.ts';
import { LedgerError } from './errors.ts';
import { hashLeaf, sameBytes } from './hash.ts';
import {
  copyEntries,
  copySequenced,
  extendEntry,
  extendSequenced,
  forgetSequenced,
  selectSequenced,
  upsertTiles,
} from './sql/append.ts';
import { advanceLog, selectLog } from './sql/log.ts';
import { selectTiles } from './sql/tile.ts';

/** An entry ready to be sequenced: its idempotency key and exact bytes. */
export interface Pending {
  readonly id: string;
  readonly bytes: Uint8Array;
}
/** Where an entry stands; `duplicate` when it was sequenced before. */
export interface Sequenced {
  readonly leafIndex: bigint;
  readonly duplicate: boolean;
}

interface Hashed extends Pending {
  readonly leaf: Uint8Array;
}
interface Call {
  readonly entries: readonly Hashed[];
  readonly bytes: number;
  readonly resolve: (sequenced: readonly Sequenced[]) => void;
  readonly reject: (error: unknown) => void;
}
interface Position {
  readonly edge: Edge;
  readonly root: Uint8Array;
}
type Attempt =
  | { readonly kind: 'committed'; readonly position: Position; readonly sequenced: readonly Sequenced[] }
  | { readonly kind: 'lost' };

/** Indexes in one partition of the entry table; the next one is made when three quarters are used. */
const PARTITION = 2n ** 24n;
/** An observation sent again within this many hours is stored once. Whole days are forgotten: up to a day more. */
const WINDOW_HOURS = 24;
const HOUR_MS = 3_600_000;

export interface SequencerOptions {
  readonly database: Database;
  readonly logId: number;
  /** Most entries and bytes in one transaction; a call that is larger has its own. */
  readonly batch?: { readonly entries: number; readonly bytes: number };
}

/**
 * The only writer of entries. No timer: everything that waits is taken as soon as the previous commit returned. One
 * transaction per batch; the compare-and-swap of (size, root) is the fence, so several servers on one database never
 * make two histories: the loser reloads and retries. An append resolves only after its commit.
 */
export class Sequencer {
  readonly #database: Database;
  readonly #logId: number;
  readonly #batch: { readonly entries: number; readonly bytes: number };
  readonly #queue: Call[] = [];
  #position: Position | undefined;
  #roomUpTo = 0n;
  #windowKeptAt = Number.NEGATIVE_INFINITY;
  #draining: Promise<void> | undefined;
  #halted: LedgerError | undefined;
  #closing = false;

  constructor({ database, logId, batch = { entries: 4096, bytes: 4 * 2 ** 20 } }: SequencerOptions) {
    this.#database = database;
    this.#logId = logId;
    this.#batch = batch;
  }

  /**
   * Sequences a call's entries in order, each exactly once, all in one transaction: durable when the promise resolves;
   * rejected with a LedgerError, they are not known to be stored, and sending them again is safe.
   */
  append(entries: readonly Pending[]): Promise<readonly Sequenced[]> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#halted !== undefined) throw this.#halted ?? closed();
      // Hashed on arrival: the batch before is in the database meanwhile.
      const hashed = entries.map(({ id, bytes }) => ({ id, bytes, leaf: hashLeaf(bytes) }));
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
      this.#queue.push({ entries: hashed, bytes, resolve, reject });
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
    await Promise.resolve(); // let the caller's whole burst in before the first batch is cut
    while (this.#queue.length > 0) await this.#settle(this.#take());
    this.#draining = undefined;
  }

  /** Whole calls, at least one, up to the limits of a batch. */
  #take(): Call[] {
    let [calls, entries, bytes] = [0, 0, 0];
    for (const call of this.#queue) {
      entries += call.entries.length;
      bytes += call.bytes;
      if (calls > 0 && (entries > this.#batch.entries || bytes > this.#batch.bytes)) break;
      calls += 1;
    }
    return this.#queue.splice(0, calls);
  }

  async #settle(calls: readonly Call[]): Promise<void> {
    try {
      if (this.#halted !== undefined) throw this.#halted;
      const sequenced = await this.#commit(calls.flatMap((call) => call.entries));
      let at = 0;
      for (const { entries, resolve } of calls) {
        resolve(sequenced.slice(at, at + entries.length));
        at += entries.length;
      }
    } catch (error) {
      this.#position = undefined; // what the database holds is not known: read it again before the next batch
      this.#windowKeptAt = Number.NEGATIVE_INFINITY; // its clock may have leapt past the days made
      const told = toLedgerError(error);
      for (const { reject } of calls) reject(told);
    }
  }

  /** Retries for as long as other writers win; each loss means that someone else's batch was committed. */
  async #commit(batch: readonly Hashed[]): Promise<readonly Sequenced[]> {
    for (;;) {
      this.#position ??= await this.#load();
      const attempt = await this.#attempt(batch, this.#position);
      if (attempt.kind === 'committed') {
        this.#position = attempt.position;
        return attempt.sequenced;
      }
      this.#position = undefined;
    }
  }

  async #attempt(batch: readonly Hashed[], position: Position): Promise<Attempt> {
    const { size } = position.edge;
    const logId = this.#logId;
    await this.#makeRoom(size + BigInt(batch.length));
    await this.#keepWindow();
    return transaction(this.#database.pool('writer'), async (client) => {
      const ids = batch.map((entry) => entry.id);
      const { fresh, sequenced } = place(batch, await selectSequenced(client, logId, ids), size);
      if (fresh.length === 0) return { kind: 'committed', position, sequenced };
      const leaves = fresh.map((entry) => entry.leaf);
      const { edge, root, tiles } = appendLeaves(position.edge, leaves);
      // The fence comes first: a writer with an old view stops here, and the row lock makes the next one wait. So the
      // ids above are complete: whoever committed one since this view was loaded moved the size.
      if (!(await advanceLog(client, logId, { size, root: position.root }, { size: edge.size, root }))) {
        return { kind: 'lost' };
      }
      const bytes = fresh.map((entry) => entry.bytes);
      await copyEntries(client, logId, size, bytes);
      const freshIds = fresh.map((entry) => entry.id);
      await copySequenced(client, logId, size, freshIds);
      await upsertTiles(client, logId, tiles);
      return { kind: 'committed', position: { edge, root }, sequenced };
    });
  }

  /** Makes partitions a quarter ahead of need, outside the batch's transaction. */
  async #makeRoom(size: bigint): Promise<void> {
    if (size + PARTITION / 4n <= this.#roomUpTo) return;
    const upTo = size + PARTITION / 2n;
    await extendEntry(this.#database.pool('writer'), this.#logId, upTo);
    this.#roomUpTo = upTo;
  }

  /** Every hour: makes tomorrow's place for ids and forgets what is beyond the window. */
  async #keepWindow(): Promise<void> {
    if (performance.now() - this.#windowKeptAt < HOUR_MS) return;
    const writer = this.#database.pool('writer');
    await extendSequenced(writer);
    await forgetSequenced(writer, WINDOW_HOURS);
    this.#windowKeptAt = performance.now();
  }

  /** Reads the right edge and refuses to build on one that does not hash to the stored root. */
  async #load(): Promise<Position> {
    const logId = this.#logId;
    return transaction(this.#database.pool('writer'), async (client) => {
      await client.query('set transaction isolation level repeatable read, read only');
      const log = await selectLog(client, logId);
      if (log === undefined) throw new LedgerError('missing', `log ${logId} is not in the database any more`);
      const edge = edgeFromTiles(log.size, await selectTiles(client, logId, rightEdge(log.size)));
      const root = rootOfEdge(edge);
      if (sameBytes(log.root, root)) return { edge, root };
      throw new LedgerError(
        'corrupt',
        `tiles of log ${logId} do not hash to its stored root at size ${log.size}; nothing was appended; run behalf fsck`,
      );
    });
  }
}

const closed = () => new LedgerError('closing', 'the ledger is closing; send again to another server, or later');

/** Gives each entry its index: the stored one for a known id, the next free one else; ids repeated in the batch share one. */
function place(batch: readonly Hashed[], known: ReadonlyMap<string, bigint>, size: bigint) {
  const seen = new Map(known);
  const fresh: Hashed[] = [];
  const sequenced = batch.map((entry): Sequenced => {
    const before = seen.get(entry.id);
    if (before !== undefined) return { leafIndex: before, duplicate: true };
    const leafIndex = size + BigInt(fresh.length);
    seen.set(entry.id, leafIndex);
    fresh.push(entry);
    return { leafIndex, duplicate: false };
  });
  return { fresh, sequenced };
}
