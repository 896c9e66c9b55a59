import { TILE_WIDTH } from '@behalf/verify';
import { appendDigests, type Edge } from './edge.ts';
import { bytesOf, type Digest } from './hash.ts';
import { BUCKET_LIMIT, type IdKey, idBytes, type KnownIds } from './known-ids.ts';
import type { BatchRows, IdRows, RunRows } from './sql/append.ts';

/** An entry ready to be sequenced: its idempotency key and exact bytes. */
export interface Pending {
  readonly id: string;
  readonly bytes: Uint8Array; // 1..65,535
}
/** An entry on its way: its leaf hash and the place of its id. */
export interface Hashed {
  readonly bytes: Uint8Array;
  readonly leaf: Digest;
  readonly id: IdKey;
}
/** Where an entry stands, `duplicate` when it was sequenced before; or why it has no place. */
export type Sequenced =
  | { readonly kind: 'sequenced'; readonly leafIndex: bigint; readonly duplicate: boolean }
  | { readonly kind: 'refused'; readonly reason: string };

/** The tree as one state of the log has it. */
export interface Position {
  readonly edge: Edge;
  readonly root: Uint8Array;
}
/** What is to be stored, if anything; the position after it, and the answers once it is stored. */
export interface Prepared {
  readonly rows: BatchRows | undefined;
  readonly position: Position;
  readonly sequenced: readonly Sequenced[];
}

/**
 * Works out a batch on a position, without the database: each new id gets the next index and is remembered in `known`,
 * which must hold its bucket. An id that is known, or repeated in the batch, gets the index it has.
 */
export function prepareBatch(batch: readonly Hashed[], position: Position, known: KnownIds): Prepared {
  const first = Number(position.edge.size);
  const fresh: Hashed[] = [];
  const sequenced = batch.map((entry): Sequenced => {
    const before = known.find(entry.id);
    if (before !== undefined) return { kind: 'sequenced', leafIndex: BigInt(before), duplicate: true };
    if (known.isFull(entry.id)) return { kind: 'refused', reason: FULL };
    const index = first + fresh.length;
    known.add(entry.id, index);
    fresh.push(entry);
    return { kind: 'sequenced', leafIndex: BigInt(index), duplicate: false };
  });
  if (fresh.length === 0) return { rows: undefined, position, sequenced };
  const leaves = fresh.map((entry) => entry.leaf);
  const { edge, root, tiles } = appendDigests(position.edge, leaves);
  const rows = {
    from: { size: position.edge.size, root: position.root },
    to: { size: edge.size, root },
    runs: runsOf(fresh, first),
    ids: idsOf(fresh, first),
    tiles: tiles.filter(({ level }) => level > 0),
  };
  return { rows, position: { edge, root }, sequenced };
}

const FULL = `id: more than ${BUCKET_LIMIT} observation ids name the same quarter of a second; expected ids of the time they were made (UUIDv7)`;

/** Entries that follow each other from `first` on, cut into runs that end at multiples of 256. */
export function runsOf(entries: readonly Pick<Hashed, 'bytes' | 'leaf'>[], first: number): RunRows {
  const [firstIndexes, counts, lengths, ends]: [number[], number[], number[], number[]] = [[], [], [], []];
  let length = 0;
  for (const [i, { bytes }] of entries.entries()) {
    length += bytes.length;
    ends.push(length);
    const isLast = i + 1 === entries.length || (first + i + 1) % TILE_WIDTH === 0;
    if (!isLast) continue;
    const before = counts.reduce((sum, count) => sum + count, 0);
    firstIndexes.push(first + before);
    counts.push(i + 1 - before);
    lengths.push(length);
    length = 0;
  }
  const total = lengths.reduce((sum, each) => sum + each, 0);
  const leaves = bytesOf(entries.map(({ leaf }) => leaf));
  return { firstIndexes, counts, lengths, ends, leaves, bytes: joined(entries, total) };
}

function joined(entries: readonly Pick<Hashed, 'bytes'>[], total: number): Buffer {
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const entry of entries) {
    bytes.set(entry.bytes, at);
    at += entry.bytes.length;
  }
  return bytes;
}

/** The ids of entries that follow each other from `first` on, by bucket. */
export function idsOf(entries: readonly Pick<Hashed, 'id'>[], first: number): IdRows {
  const buckets = new Map<number, number[]>();
  for (const [i, { id }] of entries.entries()) {
    const places = buckets.get(id.bucket);
    if (places === undefined) buckets.set(id.bucket, [i]);
    else places.push(i);
  }
  const order = [...buckets.values()];
  const places = order.flat();
  return {
    buckets: [...buckets.keys()],
    firstIndexes: order.map((group) => first + (group[0] ?? 0)),
    counts: order.map((group) => group.length),
    offsets: order.flatMap((group) => group.map((place) => place - (group[0] ?? 0))),
    ids: idBytes(places.map((place) => entries[place]?.id.key ?? '')),
  };
}
