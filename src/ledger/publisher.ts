import { type Checkpoint, proveConsistency, tileHashReader } from '@behalf/verify';
import { type Database, transaction } from '#database';
import type { Anchor } from './anchor.ts';
import { toLedgerError } from './database-error.ts';
import { LedgerError } from './errors.ts';
import { sameBytes } from './hash.ts';
import { requireLog } from './open-log.ts';
import { readBack } from './read-back.ts';
import { tilesOneByOne } from './read-tile.ts';
import type { CheckpointSigner, Signed } from './signer.ts';
import { snapshot } from './snapshot.ts';
import { insertCheckpoint, lockSigning, selectCheckpoint } from './sql/checkpoint.ts';
import type { TreeHead } from './sql/log.ts';
import type { ProveFrom } from './witness-client.ts';
import type { Witnesses } from './witnesses.ts';

export interface PublisherOptions {
  readonly database: Database;
  readonly logId: number;
  readonly signer: CheckpointSigner;
  readonly intervalMs: number;
  /** Asked before a checkpoint is stored, so that it is published with what they signed. */
  readonly witnesses?: Witnesses;
  readonly anchor?: Anchor;
  /** Told once for each kind of trouble, until a checkpoint was published again. */
  readonly onAlarm: (error: unknown) => void;
  /** Told of trouble after which nothing may be built on the log. */
  readonly onFatal: (error: LedgerError) => void;
}

/** Signs and stores a checkpoint whenever the log has grown, at most one at a time. */
export class Publisher {
  readonly #o: PublisherOptions;
  readonly #alarmed = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #stored: bigint | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#o = options;
  }

  /** Publishes every interval from now on. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#tick(), this.#o.intervalMs);
  }

  /**
   * A checkpoint that covers everything sequenced before the call. Throws LedgerError, and then nothing was signed that
   * is not consistent with everything signed before.
   */
  publish(): Promise<Checkpoint> {
    const next = this.#last.then(() => this.#publishOnce());
    this.#last = next.catch(() => undefined); // its caller is told; the next one starts afresh
    return next;
  }

  /** Ends the loop and publishes what is left; trouble is an alarm. */
  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#try();
  }

  async #tick(): Promise<void> {
    await this.#try();
    this.start();
  }

  async #try(): Promise<void> {
    try {
      await this.publish();
      this.#alarmed.clear();
    } catch (error) {
      const kind = error instanceof LedgerError ? error.code : String(error);
      if (this.#alarmed.has(kind)) return;
      this.#alarmed.add(kind);
      this.#o.onAlarm(error);
    }
  }

  async #publishOnce(): Promise<Checkpoint> {
    try {
      let signed = await this.#signGrown();
      while (signed === undefined) signed = await this.#signGrown();
      await this.#store(signed);
      return signed.checkpoint;
    } catch (error) {
      const told = toLedgerError(error);
      if (told instanceof LedgerError && told.fatal) this.#o.onFatal(told);
      throw told;
    }
  }

  /** Undefined when another server signed meanwhile: what was read back does not follow its checkpoint. */
  async #signGrown(): Promise<Signed | undefined> {
    const { database, logId, signer } = this.#o;
    const last = await signer.last();
    const grown = await snapshot(database, async (db) => {
      const head = await requireLog(db, logId);
      const stays = last !== undefined && isSame(head, last.checkpoint);
      if (stays && last.note !== undefined) return { kind: 'same', last: { ...last, note: last.note } } as const;
      const proof = await readBack({ db, logId, ...head }, last?.checkpoint);
      return { kind: 'grown', head, proof } as const;
    });
    if (grown.kind === 'same') return grown.last;
    return transaction(database.pool('writer'), async (client) => {
      await lockSigning(client, logId);
      return signer.sign(grown.head, grown.proof, last);
    });
  }

  /** A crash before this leaves a checkpoint signed and not stored: the next publish comes here again. */
  async #store(signed: Signed): Promise<void> {
    const { checkpoint } = signed;
    if (checkpoint.size === this.#stored) return;
    const { database, logId, witnesses } = this.#o;
    const note = (await witnesses?.cosign(signed, this.#proveUpTo(checkpoint))) ?? signed.note;
    const stored = await transaction(database.pool('writer'), async (client) => {
      const row = { size: checkpoint.size, root: checkpoint.root, note };
      await insertCheckpoint(client, logId, row);
      return selectCheckpoint(client, logId, checkpoint.size);
    });
    if (stored !== undefined && sameBytes(stored.root, checkpoint.root)) {
      this.#stored = checkpoint.size;
      await this.#anchor(stored.note, checkpoint);
      return;
    }
    throw new LedgerError(
      'rewritten',
      `another checkpoint of size ${checkpoint.size} is stored: two histories exist; keep both and run behalf fsck`,
    );
  }

  /** A folder that cannot be written is an alarm; one that holds another history ends the log. */
  async #anchor(note: string, checkpoint: Checkpoint): Promise<void> {
    try {
      await this.#o.anchor?.keep(note, checkpoint);
    } catch (error) {
      if (error instanceof LedgerError) throw error;
      this.#o.onAlarm(error);
    }
  }

  #proveUpTo({ size, root }: Checkpoint): ProveFrom {
    const { database, logId } = this.#o;
    return async (size1) => {
      if (size1 === 0n || size1 === size) return [];
      return snapshot(database, (db) =>
        proveConsistency({
          size1,
          size2: size,
          read: tileHashReader({ size, root, readTile: tilesOneByOne(db, logId) }),
        }),
      );
    };
  }
}

const isSame = (a: TreeHead, b: TreeHead): boolean => a.size === b.size && sameBytes(a.root, b.root);
