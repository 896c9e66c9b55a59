import type { ClientBase } from 'pg';
import { hashLeaf } from '../../src/ledger/hash.ts';

export interface StoredEntry {
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array; // as stored beside it, whatever the bytes hash to
}
/** A row of behalf.entry_bundle: consecutive entries. */
export interface StoredRow {
  readonly first: number;
  readonly entries: readonly StoredEntry[];
}
/** Rows by their first index as they shall be; undefined: no such row. */
export type Change = ReadonlyMap<number, StoredRow | undefined>;

/** A log's rows as they were before anybody tampered, kept in memory to compute from and to mend with. */
export class StoredLog {
  readonly rows: readonly StoredRow[];
  readonly entries: readonly StoredEntry[];

  constructor(rows: readonly StoredRow[]) {
    this.rows = rows;
    this.entries = rows.flatMap((row) => row.entries);
  }

  static async read(owner: ClientBase): Promise<StoredLog> {
    const { rows } = await owner.query<{ first: string; ends: number[]; leaves: Buffer; bytes: Buffer }>(
      'select first_index as first, ends, leaves, bytes from behalf.entry_bundle where log_id = 1 order by first_index',
    );
    return new StoredLog(
      rows.map(({ first, ends, leaves, bytes }) => ({
        first: Number(first),
        entries: ends.map((end, i) => ({
          bytes: bytes.subarray(ends[i - 1] ?? 0, end),
          leaf: leaves.subarray(32 * i, 32 * (i + 1)),
        })),
      })),
    );
  }

  get size(): number {
    return this.entries.length;
  }

  /** Entries that are in full tiles, so that a tile above holds a hash over them. */
  get inFullTiles(): number {
    return this.size - (this.size % 256);
  }

  entry(index: number): StoredEntry {
    const entry = this.entries[index];
    if (entry === undefined) throw new RangeError(`stored log: there is no entry ${index}`);
    return entry;
  }

  /** The row that holds an index. */
  rowOf(index: number): StoredRow {
    const row = this.rows.find(({ first, entries }) => first <= index && index < first + entries.length);
    if (row === undefined) throw new RangeError(`stored log: no row holds ${index}`);
    return row;
  }

  /** The rows with other entries in some places. */
  withEntries(changed: ReadonlyMap<number, StoredEntry>): Change {
    const rows = new Set([...changed.keys()].map((index) => this.rowOf(index)));
    return new Map(
      [...rows].map(({ first, entries }) => [
        first,
        { first, entries: entries.map((entry, i) => changed.get(first + i) ?? entry) },
      ]),
    );
  }
}

/** The entry with other bytes, its stored leaf hash left as it was or made to fit. */
export const withBytes = (entry: StoredEntry, bytes: Uint8Array, leafToo: boolean): StoredEntry => ({
  bytes,
  leaf: leafToo ? hashLeaf(bytes) : entry.leaf,
});

/** Writes rows as a superuser would; triggers must be off. `ends` stands in for where a row's entries truly end. */
export async function write(owner: ClientBase, change: Change, ends?: readonly number[]): Promise<void> {
  await owner.query('delete from behalf.entry_bundle where log_id = 1 and first_index = any($1::bigint[])', [
    [...change.keys()],
  ]);
  for (const row of change.values()) {
    if (row === undefined) continue;
    const { first, entries } = row;
    await owner.query(
      'insert into behalf.entry_bundle (log_id, first_index, ends, leaves, bytes) values (1, $1, $2, $3, $4)',
      [
        first,
        ends ?? endsOf(entries),
        Buffer.concat(entries.map(({ leaf }) => leaf)),
        Buffer.concat(entries.map(({ bytes }) => bytes)),
      ],
    );
  }
}

export function endsOf(entries: readonly StoredEntry[]): number[] {
  let end = 0;
  return entries.map(({ bytes }) => {
    end += bytes.length;
    return end;
  });
}
