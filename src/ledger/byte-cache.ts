/** Bytes that never change, by key, up to a total length; what was used least recently goes first. */
export class ByteCache {
  readonly #limit: number;
  readonly #held = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** What is held, or what `read` finds; nothing found is asked for again. */
  async get(key: string, read: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    const held = this.#held.get(key);
    if (held !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, held);
      return held;
    }
    const found = await read();
    if (found !== undefined && !this.#held.has(key)) this.#hold(key, found);
    return found;
  }

  #hold(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.#limit) return;
    this.#held.set(key, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#held) {
      if (this.#bytes <= this.#limit) break;
      this.#held.delete(oldest);
      this.#bytes -= length;
    }
  }
}
