import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, openCheckpoint, parseCheckpoint, parseNote, VerificationError } from '@behalf/verify';
import { LedgerError } from './errors.ts';
import { type Numbered, NumberedFiles } from './numbered-files.ts';
import type { TreeHead } from './sql/log.ts';

/** What was signed last, or was about to be. */
export interface LastSigned {
  readonly generation: number; // which of all states of this folder; 0 for one of an earlier version
  readonly checkpoint: Checkpoint;
  /** The signed note; undefined when the signer ended before it had the signature: somebody may hold it all the same. */
  readonly note: string | undefined;
}

/**
 * The signer's own memory, apart from the database: a folder of checkpoints that follow each other. A checkpoint is written
 * before its signature is asked for, and the signed note before it is given away; each is durable before the next step. Of
 * several signers on one folder one follows a state, so no two of them sign apart from each other.
 */
export class SignerState {
  readonly #files: NumberedFiles;
  readonly #earlier: string; // one file, as versions before the folder had it

  constructor(keyFolder: string) {
    this.#files = new NumberedFiles(join(keyFolder, 'signer'), 'checkpoint');
    this.#earlier = join(keyFolder, 'signer.state');
  }

  /**
   * The last state, in which a note must bear a signature of one of the keys; without keys, signatures are not looked at.
   * Throws LedgerError `mismatch` when it is not of this log.
   */
  async last(origin: string, verifierKeys?: readonly string[]): Promise<LastSigned | undefined> {
    const found = await this.#read();
    if (found === undefined) return undefined;
    try {
      const isNote = found.text.includes('\n\n');
      const checkpoint = await open(found.text, isNote ? verifierKeys : undefined);
      if (checkpoint.origin !== origin) throw new VerificationError('wrong_origin', checkpoint.origin);
      return { generation: found.generation, checkpoint, note: isNote ? found.text : undefined };
    } catch (cause) {
      if (!(cause instanceof VerificationError)) throw cause;
      throw new LedgerError(
        'mismatch',
        `${this.#files.folder}: expected the last checkpoint signed for ${origin}, found ${describe(found.text)}; restore the database this key folder belongs to, or give another key folder`,
        { cause },
      );
    }
  }

  /** Whether anything was ever signed from this folder. */
  async isThere(): Promise<boolean> {
    return (await this.#read()) !== undefined;
  }

  /** The next state, durably: a checkpoint's text, or its note. Undefined when another signer was first. */
  async follow(before: { readonly generation: number } | undefined, text: string): Promise<number | undefined> {
    const place = before === undefined || before.generation === 0 ? undefined : { ...before, text };
    const placed = await this.#files.follow(place, text);
    if (placed !== undefined && before?.generation === 0) await unlink(this.#earlier).catch(ifMissing);
    return placed?.generation;
  }

  async #read(): Promise<Numbered | undefined> {
    const last = await this.#files.last();
    if (last !== undefined) return last;
    const text = await readFile(this.#earlier, 'utf8').catch(ifMissing);
    return text === undefined ? undefined : { generation: 0, text };
  }
}

/** Throws LedgerError `rollback` when a tree is smaller than the signed one. */
export function requireNotSmaller(signed: Pick<TreeHead, 'size'>, size: bigint): void {
  if (size >= signed.size) return;
  throw new LedgerError(
    'rollback',
    `tree size went back: signed ${signed.size}, database ${size}; the database was restored from an older copy; nothing was signed and nothing is taken in; restore a newer one, or, where none is left, keep this key folder as evidence and begin another log with an empty database and another BEHALF_DATA_DIR`,
  );
}

/** As the last of several keys that verifies has it. */
async function open(text: string, verifierKeys: readonly string[] | undefined): Promise<Checkpoint> {
  if (verifierKeys === undefined) return parseCheckpoint(text.includes('\n\n') ? parseNote(text).text : text);
  let missed: VerificationError | undefined;
  for (const key of verifierKeys) {
    try {
      return await openCheckpoint(text, key);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      missed = error;
    }
  }
  throw missed ?? new TypeError('signer state: no key was given');
}

function describe(text: string): string {
  try {
    return `one of ${parseCheckpoint(text.includes('\n\n') ? parseNote(text).text : text).origin}`;
  } catch (error) {
    if (error instanceof VerificationError) return 'something else';
    throw error;
  }
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
