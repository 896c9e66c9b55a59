import { createHash } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAside } from '#ledger/keys';

/** The last checkpoint cosigned of one log, and its place in the order of all. */
export interface Stored {
  readonly generation: number;
  readonly note: string; // bears the witness's own cosignature
}

/**
 * Keeps, for each log, the last cosigned checkpoint in files whose numbers only grow: the next number is taken by linking,
 * which fails when it is taken. So two processes on one folder cannot both follow the same checkpoint, and a crash leaves
 * the old one or the new one.
 */
export class CosignedStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async last(origin: string): Promise<Stored | undefined> {
    const folder = this.#folderOf(origin);
    for (;;) {
      const generation = Math.max(0, ...(await generationsIn(folder)));
      if (generation === 0) return undefined;
      const note = await readFile(join(folder, nameOf(generation)), 'utf8').catch(ifMissing);
      if (note !== undefined) return { generation, note }; // else two newer ones came since the listing
    }
  }

  /** Puts a checkpoint in the place after `before`; false when another took that place, and then nothing is stored. */
  async follow(before: Stored | undefined, origin: string, note: string): Promise<boolean> {
    const folder = this.#folderOf(origin);
    if (before === undefined) await this.#make(folder);
    const path = join(folder, nameOf((before?.generation ?? 0) + 1));
    let placed = true;
    await writeAside(path, note, async (aside) => {
      try {
        await link(aside, path);
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
        placed = false;
      }
      await unlink(aside);
    });
    if (placed) await this.#forget(folder, before);
    return placed;
  }

  /** Durable before anything is cosigned: a folder lost in a crash would be a log forgotten. */
  async #make(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const parent = await open(this.#folder, 'r');
    try {
      await parent.sync();
    } finally {
      await parent.close();
    }
  }

  /** The last but one stays: whoever reads while this goes on finds what its listing named. */
  async #forget(folder: string, before: Stored | undefined): Promise<void> {
    for (const generation of await generationsIn(folder)) {
      if (before === undefined || generation >= before.generation) continue;
      await unlink(join(folder, nameOf(generation))).catch(ifMissing);
    }
  }

  #folderOf(origin: string): string {
    return join(this.#folder, hexOfOrigin(origin));
  }
}

/** How a log is named in paths: hex SHA-256 of its origin (C2SP tlog-witness, monitoring prefix). */
export const hexOfOrigin = (origin: string): string => createHash('sha256').update(origin).digest('hex');

const nameOf = (generation: number): string => `${String(generation).padStart(12, '0')}.checkpoint`;

async function generationsIn(folder: string): Promise<number[]> {
  const names = (await readdir(folder).catch(ifMissing)) ?? [];
  return names.flatMap((name) => (/^\d{12}\.checkpoint$/.test(name) ? [Number(name.slice(0, 12))] : []));
}

function ifMissing(error: unknown): undefined {
  if (!isCode(error, 'ENOENT')) throw error;
  return undefined;
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
