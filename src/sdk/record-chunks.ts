import { framedSize, putRecord } from './otlp-record.ts';

interface Chunk {
  readonly bytes: Uint8Array;
  size: number;
  count: number;
}

const CHUNK_BYTES = 64 * 1024;
/** Chunks that are kept for what comes next. */
const MAX_SPARE = 16;

/**
 * Framed log records one behind the other in chunks that are used again: an observation costs a copy, and nothing that
 * the garbage collector must find. What was taken stays as it is until it is settled.
 */
export class RecordChunks {
  #chunks: Chunk[] = [];
  readonly #spare: Uint8Array[] = [];
  #taken = 0;
  #count = 0;

  /** Records that are not settled. */
  get count(): number {
    return this.#count;
  }

  append(parts: readonly Uint8Array[]): void {
    const chunk = this.#chunkFor(framedSize(parts));
    chunk.size = putRecord(chunk.bytes, chunk.size, parts);
    chunk.count += 1;
    this.#count += 1;
  }

  /** The oldest whole chunks, the first in any case, up to so many records and bytes. */
  take(maxCount: number, maxBytes: number): { readonly count: number; readonly pieces: readonly Uint8Array[] } {
    const pieces: Uint8Array[] = [];
    let [count, size] = [0, 0];
    for (const chunk of this.#chunks) {
      if (pieces.length > 0 && (count + chunk.count > maxCount || size + chunk.size > maxBytes)) break;
      pieces.push(chunk.bytes.subarray(0, chunk.size));
      count += chunk.count;
      size += chunk.size;
    }
    this.#taken = pieces.length;
    return { count, pieces };
  }

  settle(): void {
    for (const { bytes, count } of this.#chunks.splice(0, this.#taken)) {
      this.#count -= count;
      if (bytes.length === CHUNK_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(bytes);
    }
    this.#taken = 0;
  }

  clear(): void {
    this.#chunks = [];
    this.#spare.length = 0;
    this.#taken = 0;
    this.#count = 0;
  }

  #chunkFor(size: number): Chunk {
    const last = this.#chunks.length > this.#taken ? this.#chunks.at(-1) : undefined;
    if (last !== undefined && last.size + size <= last.bytes.length) return last;
    const spare = size <= CHUNK_BYTES ? this.#spare.pop() : undefined;
    const made = { bytes: spare ?? new Uint8Array(Math.max(size, CHUNK_BYTES)), size: 0, count: 0 };
    this.#chunks.push(made);
    return made;
  }
}
