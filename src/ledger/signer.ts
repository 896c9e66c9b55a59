import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Checkpoint,
  checkConsistency,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  VerificationError,
} from '@behalf/verify';
import { LedgerError } from './errors.ts';
import { sameBytes } from './hash.ts';
import { writeDurably } from './key-file.ts';
import type { SigningKey } from './signing-key.ts';
import type { TreeHead } from './sql/log.ts';

const statePath = (folder: string): string => join(folder, 'signer.state');

/** Whether a signer with this key folder ever signed. */
export const hasSignerState = async (folder: string): Promise<boolean> =>
  (await readState(statePath(folder))) !== undefined;

async function readState(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

export interface Signed {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/**
 * Signs checkpoints and remembers the last one in a file of its own. It signs only a tree that is consistent with what it
 * signed before, so whoever owns the database cannot obtain a signature on rewritten history.
 */
export class Signer {
  readonly verifierKey: string;
  readonly #origin: string;
  readonly #key: SigningKey;
  readonly #statePath: string;

  /** State is kept in `signer.state` of the folder. */
  constructor(folder: string, origin: string, key: SigningKey) {
    this.#origin = origin;
    this.#key = key;
    this.verifierKey = key.verifierKey(origin);
    this.#statePath = statePath(folder);
  }

  /**
   * The last checkpoint signed, read from the file each time: another process may share it. Throws LedgerError
   * `mismatch` when the file is not this log's.
   */
  async last(): Promise<Signed | undefined> {
    const note = await readState(this.#statePath);
    if (note === undefined) return undefined;
    try {
      return { note, checkpoint: await openCheckpoint(note, this.verifierKey) };
    } catch (cause) {
      throw new LedgerError(
        'mismatch',
        `${this.#statePath}: expected the last checkpoint signed for ${this.#origin}, found ${describe(note)}; restore the database this key folder belongs to, or give another key folder`,
        { cause },
      );
    }
  }

  /**
   * Signs a checkpoint of `head`. `proof` is the consistency proof from `since`, which `last` returned; empty at first and
   * for the same size. Returns undefined, and signs nothing, when another process has signed since then. Throws LedgerError
   * `rollback` or `rewritten`, and then nothing was signed. A crash after the state is written leaves a signed size that
   * the database has not stored yet: it is stored at the next start.
   */
  async sign(head: TreeHead, proof: readonly Uint8Array[], since: Signed | undefined): Promise<Signed | undefined> {
    const last = await this.last();
    if (last?.note !== since?.note) return undefined;
    if (last !== undefined) requireGrown(last.checkpoint, head, proof);
    const checkpoint = { origin: this.#origin, size: head.size, root: head.root };
    const note = this.#key.signNote(this.#origin, formatCheckpoint(checkpoint));
    await writeDurably(this.#statePath, note);
    return { note, checkpoint };
  }
}

/** Throws LedgerError `rollback` when a tree is smaller than the signed one. */
export function requireNotSmaller(signed: Pick<TreeHead, 'size'>, size: bigint): void {
  if (size >= signed.size) return;
  throw new LedgerError(
    'rollback',
    `tree size went back: signed ${signed.size}, database ${size}; the database was restored from an older copy; nothing was signed; restore a newer one, or open a new log`,
  );
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

function describe(note: string): string {
  try {
    return `one of ${parseCheckpoint(parseNote(note).text).origin}`;
  } catch (error) {
    if (error instanceof VerificationError) return 'something else';
    throw error;
  }
}
