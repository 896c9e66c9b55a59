import type { IdBucketRow } from './sql/id-bucket.ts';

const ID_BYTES = 16;
/** Ids of one bucket, 256 ms of their own time; a sender that puts more there is refused: they are compared in memory. */
export const BUCKET_LIMIT = 2 ** 20;
/** Ids held in all, as far as batches that are under way allow: some 100 bytes each. */
const HELD_LIMIT = 2 ** 18;

/** An observation id (UUIDv7, RFC 9562) and its place among the others. */
export interface IdKey {
  /** Milliseconds of its time / 256. */
  readonly bucket: number;
  /** Itself: 8-4-4-4-12 lower case hex digits. */
  readonly key: string;
}

export const idKey = (id: string): IdKey => ({
  bucket: Number.parseInt(id.slice(0, 8) + id.slice(9, 11), 16), // 40 of the 48 bits that are its milliseconds
  key: id,
});

/** 16 bytes each. Throws TypeError on what is no id. */
export function idBytes(ids: readonly string[]): Buffer {
  const bytes = Buffer.from(ids.join('').replaceAll('-', ''), 'hex');
  if (bytes.length !== ID_BYTES * ids.length) throw new TypeError('an observation id has 32 hex digits');
  return bytes;
}

function idAt(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + ID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

interface Bucket {
  readonly number: number;
  readonly indexes: Map<string, number>;
  usedBy: number;
}

/**
 * Which ids are sequenced, and where, by whole buckets of their time: what a held bucket does not name is not sequenced,
 * for as long as its owner knows of every commit. Whoever loses the log's position must drop it.
 */
export class KnownIds {
  readonly #held = new Map<number, Bucket>(); // least recently used first
  readonly #limit: number;
  #count = 0;
  #batch = 0;

  constructor(limit = HELD_LIMIT) {
    this.#limit = limit;
  }

  /** How many ids are held. */
  get count(): number {
    return this.#count;
  }

  /** Of these ids' buckets, those that must be read first. */
  missing(ids: readonly IdKey[]): number[] {
    const missing = new Set<number>();
    for (const { bucket } of ids) if (!this.#held.has(bucket)) missing.add(bucket);
    return [...missing];
  }

  /** Takes in all that is stored of these buckets. */
  learn(buckets: readonly number[], rows: readonly IdBucketRow[]): void {
    for (const number of buckets) this.#held.set(number, { number, indexes: new Map(), usedBy: this.#batch });
    for (const { bucket, ids, indexes } of rows) {
      const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.length);
      for (const [i, index] of indexes.entries()) this.add({ bucket, key: idAt(bytes, ID_BYTES * i) }, index);
    }
  }

  /** Where it was sequenced, if it was. Its bucket must be held. */
  find({ bucket, key }: IdKey): number | undefined {
    return this.#open(bucket).indexes.get(key);
  }

  /** Whether its bucket takes no more. */
  isFull({ bucket }: IdKey): boolean {
    return this.#open(bucket).indexes.size >= BUCKET_LIMIT;
  }

  /** Remembers where it was sequenced: the first place it was told of. */
  add({ bucket, key }: IdKey, index: number): void {
    const { indexes } = this.#open(bucket);
    const before = indexes.size;
    if (!indexes.has(key)) indexes.set(key, index);
    this.#count += indexes.size - before;
  }

  /** Begins a batch; what it uses stays until it is settled. Returns its number. */
  begin(): number {
    this.#batch += 1;
    return this.#batch;
  }

  /**
   * All batches up to this one are committed: what only they used may go, the least recently used first. The one used last
   * stays, however large: the next batch most likely asks for it, and would read it all again.
   */
  settled(batch: number): void {
    for (const { number, indexes, usedBy } of this.#held.values()) {
      if (this.#count <= this.#limit || this.#held.size === 1) return;
      if (usedBy > batch) continue;
      this.#held.delete(number);
      this.#count -= indexes.size;
    }
  }

  #open(number: number): Bucket {
    const bucket = this.#held.get(number);
    if (bucket === undefined) throw new TypeError(`bucket ${number} was not read`);
    if (bucket.usedBy !== this.#batch) {
      bucket.usedBy = this.#batch;
      this.#held.delete(number);
      this.#held.set(number, bucket);
    }
    return bucket;
  }
}
