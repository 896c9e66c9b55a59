import { closeSync, fdatasync, fsync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * One file that is appended to. What `append` took survives the end of the process; what `sync` resolved for survives the
 * end of the machine as well.
 */
export class SegmentFile {
  readonly path: string;
  readonly #fd: number;
  #isNamed = false;
  #size = 0;
  #closed = false;

  /** Creates the file. Throws what the file system says. */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'wx', 0o600);
  }

  get size(): number {
    return this.#size;
  }

  /** Throws when the file system does; what of the bytes it took before that is cut off again. */
  append(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at, this.#size + at);
      this.#size += bytes.length;
    } catch (error) {
      ftruncateSync(this.#fd, this.#size);
      throw error;
    }
  }

  /** Off the event loop. The folder is synced once: a file is not durable before its name is. */
  async sync(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve, reject) => fdatasync(this.#fd, (error) => (error ? reject(error) : resolve())));
    if (this.#isNamed) return;
    await syncFolder(dirname(this.path));
    this.#isNamed = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}

function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, 'r');
  return new Promise<void>((resolve, reject) => fsync(folder, (error) => (error ? reject(error) : resolve()))).finally(
    () => closeSync(folder),
  );
}
