import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Numbered, NumberedFiles } from '#ledger/keys';

/** The last checkpoint cosigned of one log, and its place in the order of all. */
export interface Stored {
  readonly generation: number;
  readonly note: string; // bears the witness's own cosignature
}

/**
 * Keeps, for each log, the last cosigned checkpoint in files whose numbers only grow. So of two processes on one folder only
 * one follows a checkpoint, and a crash leaves the old one or the new one.
 */
export class CosignedStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async last(origin: string): Promise<Stored | undefined> {
    const last = await this.#filesOf(origin).last();
    return last && { generation: last.generation, note: last.text };
  }

  /** Puts a checkpoint in the place after `before`; false when another took that place, and then nothing is stored. */
  async follow(before: Stored | undefined, origin: string, note: string): Promise<boolean> {
    const place: Numbered | undefined = before && { generation: before.generation, text: before.note };
    return (await this.#filesOf(origin).follow(place, note)) !== undefined;
  }

  #filesOf(origin: string): NumberedFiles {
    return new NumberedFiles(join(this.#folder, hexOfOrigin(origin)), 'checkpoint');
  }
}

/** How a log is named in paths: hex SHA-256 of its origin (C2SP tlog-witness, monitoring prefix). */
export const hexOfOrigin = (origin: string): string => createHash('sha256').update(origin).digest('hex');
