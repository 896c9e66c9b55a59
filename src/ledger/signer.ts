import {
  type Checkpoint,
  checkConsistency,
  formatCheckpoint,
  formatNote,
  type NoteSignature,
  openCheckpoint,
  VerificationError,
} from '@behalf/verify';
import { LedgerError } from './errors.ts';
import { sameBytes } from './hash.ts';
import { type KeyRing, verifierKeyOf } from './key-ring.ts';
import { type LastSigned, requireNotSmaller, SignerState } from './signer-state.ts';
import { signatureBy } from './signing-key.ts';
import type { TreeHead } from './sql/log.ts';

export interface Signed {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** What judges a tree and signs it, here or in a process of its own. */
export interface CheckpointSigner {
  /** The last state, read afresh: another signer may share the folder. Throws LedgerError `mismatch`. */
  last(): Promise<LastSigned | undefined>;
  /**
   * Signs a checkpoint of `head`. `proof` is the consistency proof from `since`, which `last` returned; empty at first and
   * for the same size. Returns undefined, and signs nothing, when another has signed since then. Throws LedgerError
   * `rollback` or `rewritten`, and then nothing was signed, and `unsigned` when the signature is not to be had now.
   */
  sign(head: TreeHead, proof: readonly Uint8Array[], since: LastSigned | undefined): Promise<Signed | undefined>;
}

export interface SignerOptions {
  readonly folder: string;
  readonly origin: string;
  /** The keys as they are now. */
  readonly keys: () => Promise<KeyRing>;
}

/**
 * Signs checkpoints and remembers them in a folder of its own. It signs only a tree that is consistent with what it signed
 * before, so whoever owns the database cannot obtain a signature on rewritten history.
 */
export class Signer implements CheckpointSigner {
  readonly #o: SignerOptions;
  readonly #state: SignerState;

  constructor(options: SignerOptions) {
    this.#o = options;
    this.#state = new SignerState(options.folder);
  }

  async last(): Promise<LastSigned | undefined> {
    const keys = keysOf(await this.#o.keys()).map((key) => verifierKeyOf(this.#o.origin, key));
    return this.#state.last(this.#o.origin, keys);
  }

  /**
   * A crash after the checkpoint is written leaves one without a signature, and the next tree must contain it as if it had
   * been signed; a crash after the note is written leaves a signed size that the database has not stored yet.
   */
  async sign(head: TreeHead, proof: readonly Uint8Array[], since: LastSigned | undefined): Promise<Signed | undefined> {
    const last = await this.last();
    if (last?.generation !== since?.generation) return undefined;
    if (last !== undefined) requireGrown(last.checkpoint, head, proof);
    const ring = await this.#o.keys();
    const checkpoint = { origin: this.#o.origin, size: head.size, root: head.root };
    const text = formatCheckpoint(checkpoint);
    const intended = await this.#state.follow(last, text);
    if (intended === undefined) return undefined;
    const note = formatNote({ text, signatures: await this.#signatures(ring, text) });
    const signed = await this.#state.follow({ generation: intended }, note);
    return signed === undefined ? undefined : { note, checkpoint };
  }

  /** Throws LedgerError `mismatch` unless the last checkpoint bears the signature of every key of the ring. */
  async requireSignedByAll(): Promise<void> {
    const { note } = (await this.last()) ?? {};
    for (const key of keysOf(await this.#o.keys())) {
      if (note !== undefined && (await isSignedBy(note, verifierKeyOf(this.#o.origin, key)))) continue;
      throw new LedgerError(
        'mismatch',
        'the last checkpoint is not signed by the old and the new key; publish one first',
      );
    }
  }

  async #signatures(ring: KeyRing, text: string): Promise<NoteSignature[]> {
    const signatures: NoteSignature[] = [];
    for (const key of keysOf(ring)) signatures.push(await signatureBy(key, this.#o.origin, text));
    return signatures;
  }
}

async function isSignedBy(note: string, verifierKey: string): Promise<boolean> {
  try {
    await openCheckpoint(note, verifierKey);
    return true;
  } catch (error) {
    if (error instanceof VerificationError && error.code === 'unsigned') return false;
    throw error;
  }
}

/** The current one first; while a hand-over is under way two of them may be the same. */
function keysOf({ current, next, before }: KeyRing): readonly KeyRing['current'][] {
  const others = [next, before].filter((key) => key !== undefined);
  return [current, ...others.filter((key) => !sameBytes(key.publicKey, current.publicKey))];
}

function requireGrown(last: TreeHead, head: TreeHead, proof: readonly Uint8Array[]): void {
  requireNotSmaller(last, head.size);
  if (head.size === last.size ? sameBytes(head.root, last.root) : last.size === 0n || isConsistent(last, head, proof)) {
    return;
  }
  throw new LedgerError(
    'rewritten',
    `the tree of size ${head.size} does not contain the one signed at size ${last.size}: entries were changed after they were signed; nothing was signed; run behalf fsck`,
  );
}

function isConsistent(last: TreeHead, head: TreeHead, proof: readonly Uint8Array[]): boolean {
  try {
    checkConsistency({ size1: last.size, size2: head.size, root1: last.root, root2: head.root, proof });
    return true;
  } catch (error) {
    if (error instanceof VerificationError && error.code === 'consistency') return false;
    throw error;
  }
}
