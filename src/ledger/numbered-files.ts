import { link, mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, writeAside } from './key-file.ts';

/** The text that stands last, and its place in the order of all. */
export interface Numbered {
  readonly generation: number; // from 1
  readonly text: string;
}

/**
 * Texts that follow each other in one folder, each in a file whose number only grows. The next number is taken by linking,
 * which fails when it is taken: of several processes that saw the same last text, one may follow it. A crash leaves the
 * old text last or the new one, whole.
 */
export class NumberedFiles {
  readonly #folder: string;
  readonly #extension: string;

  constructor(folder: string, extension: string) {
    this.#folder = folder;
    this.#extension = extension;
  }

  get folder(): string {
    return this.#folder;
  }

  async last(): Promise<Numbered | undefined> {
    for (;;) {
      const generation = Math.max(0, ...(await this.#generations()));
      if (generation === 0) return undefined;
      const text = await readFile(this.#path(generation), 'utf8').catch(ifMissing);
      if (text !== undefined) return { generation, text }; // else two newer ones came since the listing
    }
  }

  /** Puts a text in the place after `before`, durably; undefined when another took that place, and then nothing is there. */
  async follow(before: Numbered | undefined, text: string): Promise<Numbered | undefined> {
    const generation = (before?.generation ?? 0) + 1;
    if (before === undefined) await this.#make();
    if (!(await this.#place(generation, text))) return undefined;
    // Whoever slept since it read `before` may find its place free again, forgotten: then others are far beyond it.
    if (Math.max(...(await this.#generations())) > generation) return undefined;
    await this.#forget(generation - 1);
    return { generation, text };
  }

  async #place(generation: number, text: string): Promise<boolean> {
    let placed = true;
    await writeAside(this.#path(generation), text, async (aside) => {
      try {
        await link(aside, this.#path(generation));
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
        placed = false;
      }
      await unlink(aside);
    });
    return placed;
  }

  /** Durable before anything is in it: a folder lost in a crash would be everything forgotten. */
  async #make(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await syncFolder(dirname(this.#folder));
  }

  /** The last but one stays: whoever reads while this goes on finds what its listing named. */
  async #forget(below: number): Promise<void> {
    for (const generation of await this.#generations()) {
      if (generation < below) await unlink(this.#path(generation)).catch(ifMissing);
    }
  }

  #path(generation: number): string {
    return join(this.#folder, `${String(generation).padStart(12, '0')}.${this.#extension}`);
  }

  async #generations(): Promise<number[]> {
    const names = (await readdir(this.#folder).catch(ifMissing)) ?? [];
    const form = new RegExp(`^(\\d{12})\\.${this.#extension}$`);
    return names.flatMap((name) => form.exec(name)?.[1] ?? []).map(Number);
  }
}

function ifMissing(error: unknown): undefined {
  if (!isCode(error, 'ENOENT')) throw error;
  return undefined;
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
