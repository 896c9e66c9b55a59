import { createHash } from 'node:crypto';
import { link, mkdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerError } from './errors.ts';
import { writeAside } from './key-file.ts';
import type { Signed } from './signer.ts';

export interface AnchorSettings {
  /** Best on a device or machine that the database's owner cannot change: a mounted WORM store, a backup host. */
  readonly folder: string;
  readonly intervalMs: number;
}

/** Writes checkpoints aside on a schedule; a file once there is never replaced. */
export class Anchor {
  readonly #o: AnchorSettings;
  readonly #now: () => number;
  #next = Number.NEGATIVE_INFINITY;

  /** `now` in milliseconds of a clock that never goes back. */
  constructor(settings: AnchorSettings, now: () => number = () => performance.now()) {
    this.#o = settings;
    this.#now = now;
  }

  /**
   * Keeps a published checkpoint when one is due. Throws LedgerError `rewritten` when the folder holds another tree of that
   * size, and what the file system throws.
   */
  async keep(note: string, checkpoint: Signed['checkpoint']): Promise<void> {
    if (this.#now() < this.#next) return;
    const folder = anchorFolder(this.#o.folder, checkpoint.origin);
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${String(checkpoint.size).padStart(20, '0')}.checkpoint`);
    await writeAside(path, note, async (aside) => {
      await link(aside, path).catch((error: unknown) => requireSameTree(error, path, note));
      await unlink(aside);
    });
    this.#next = this.#now() + this.#o.intervalMs;
  }
}

/** Where one log's checkpoints are: named by the hex SHA-256 of its origin, as witnesses name it. */
export const anchorFolder = (folder: string, origin: string): string =>
  join(folder, createHash('sha256').update(origin).digest('hex'));

/** A file that was there must hold the same checkpoint; its cosignatures may be others. */
async function requireSameTree(error: unknown, path: string, note: string): Promise<void> {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  const textOf = (signed: string): string => signed.slice(0, signed.lastIndexOf('\n\n'));
  if (textOf(await readFile(path, 'utf8')) === textOf(note)) return;
  throw new LedgerError(
    'rewritten',
    `${path} holds another tree of the same size: two histories exist; keep both and run behalf fsck`,
  );
}
