import { type Checkpoint, formatNote, parseNote, proveConsistency, tileHashReader } from '@behalf/verify';
import { type Database, transaction } from '#database';
import { Again } from './again.ts';
import type { Anchor } from './anchor.ts';
import { toLedgerError } from './database-error.ts';
import { LedgerError } from './errors.ts';
import { sameBytes } from './hash.ts';
import { requireLog } from './open-log.ts';
import { readBack } from './read-back.ts';
import { tilesOneByOne } from './read-tile.ts';
import type { CheckpointSigner, Signed } from './signer.ts';
import { snapshot } from './snapshot.ts';
import { addCosignatures, insertCheckpoint, lockSigning, selectCheckpoint } from './sql/checkpoint.ts';
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
  readonly #again = new Again();
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

  /**
   * A crash before this leaves a checkpoint signed and not stored: the next publish comes here again. So does one for which
   * too few witnesses signed, when they are to be asked again.
   */
  async #store(signed: Signed): Promise<void> {
    const { checkpoint } = signed;
    if (checkpoint.size === this.#stored && !this.#again.isDue(checkpoint.size)) return;
    const { witnesses } = this.#o;
    const cosigned = await witnesses?.cosign(signed, this.#proveUpTo(checkpoint));
    const note = await this.#storeNote(checkpoint, cosigned?.note ?? signed.note);
    this.#stored = checkpoint.size;
    if (cosigned === undefined || cosigned.met) this.#again.over();
    else this.#again.later(checkpoint.size, witnesses?.againMs ?? 0);
    await this.#anchor(note, checkpoint);
  }

  /** The note as it is stored: what was there first, and the cosignatures of both. */
  async #storeNote(checkpoint: Checkpoint, note: string): Promise<string> {
    const { database, logId } = this.#o;
    const { size, root } = checkpoint;
    return transaction(database.pool('writer'), async (client) => {
      await insertCheckpoint(client, logId, { size, root, note });
      const stored = await selectCheckpoint(client, logId, size);
      if (stored === undefined || !sameBytes(stored.root, root)) throw twoHistories(size);
      const lines = linesBeyond(stored.note, note);
      if (lines === '') return stored.note;
      const added = await addCosignatures(client, logId, { size, note: stored.note, lines });
      return added ? stored.note + lines : stored.note; // else another server added its own: next time
    });
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

const twoHistories = (size: bigint): LedgerError =>
  new LedgerError(
    'rewritten',
    `another checkpoint of size ${size} is stored: two histories exist; keep both and run behalf fsck`,
  );

/** The signature lines of a note by keys that have not signed the other. */
function linesBeyond(stored: string, note: string): string {
  const signers = new Set(parseNote(stored).signatures.map(({ name, keyId }) => `${keyId} ${name}`));
  const { text, signatures } = parseNote(note);
  const added = signatures.filter(({ name, keyId }) => !signers.has(`${keyId} ${name}`));
  return added.length === 0 ? '' : formatNote({ text, signatures: added }).slice(text.length + 1);
}

const isSame = (a: TreeHead, b: TreeHead): boolean => a.size === b.size && sameBytes(a.root, b.root);
