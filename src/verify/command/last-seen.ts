import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCheckpoint } from '../checkpoint.ts';
import { parseNote } from '../note.ts';

/** The checkpoints this machine saw last, one for each log: what no server can take back. */
export class LastSeen {
  readonly #folder: string;

  /** The folder is made when something is remembered. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The note remembered of a log. */
  async of(origin: string): Promise<string | undefined> {
    try {
      return await readFile(this.#pathOf(origin), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Replaces what is remembered of the note's log. A crash leaves the old note or the new one, whole. */
  async remember(note: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const aside = join(this.#folder, `.${randomBytes(6).toString('hex')}.tmp`);
    try {
      const file = await open(aside, 'wx', 0o600);
      try {
        await file.writeFile(note);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(aside, this.#pathOf(parseCheckpoint(parseNote(note).text).origin));
    } catch (error) {
      await unlink(aside).catch(() => undefined); // the first error is the one to tell
      throw error;
    }
  }

  #pathOf(origin: string): string {
    return join(this.#folder, `${createHash('sha256').update(origin).digest('hex')}.checkpoint`);
  }
}
