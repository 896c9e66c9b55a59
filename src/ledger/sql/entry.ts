import type { Queryable } from '#database';

export interface EntryRow {
  readonly leafIndex: bigint;
  readonly bytes: Uint8Array;
}
/** Consecutive entries as one row holds them, or a part of it, with the leaf hashes stored beside them. */
export interface Run {
  readonly firstIndex: bigint;
  /** Where each entry ends in `bytes`. */
  readonly ends: readonly number[];
  readonly leaves: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Entries with from <= index < from + count, run by run, in order of their rows. A gap, or a run that overlaps another, is
 * the caller's to notice.
 */
export async function selectRuns(db: Queryable, logId: number, from: bigint, count: number): Promise<Run[]> {
  const { rows } = await db.query<{ first: string; ends: string; leaves: Buffer; bytes: Buffer }>({
    name: 'behalf_runs',
    text: `select first_index + skip as first, array_to_string(ends[skip + 1 : upto], ',') as ends,
             substring(leaves from 32 * skip + 1 for 32 * (upto - skip)) as leaves,
             substring(bytes from coalesce(ends[skip], 0) + 1 for ends[upto] - coalesce(ends[skip], 0)) as bytes
           from (
             select first_index, ends, leaves, bytes, greatest($2::bigint - first_index, 0)::int as skip,
                    least($2::bigint + $3::int - first_index, cardinality(ends))::int as upto
             from behalf.entry_bundle
             where log_id = $1::int and first_index >= $2::bigint - $2::bigint % 256 and first_index < $2::bigint + $3::int
           ) r where upto > skip
           order by first_index`,
    values: [logId, from, count],
  });
  return rows.map(({ first, ends, leaves, bytes }) => {
    const stored = ends.split(',').map(Number);
    const before = (stored.at(-1) ?? 0) - bytes.length; // what was skipped of the row
    return { firstIndex: BigInt(first), ends: stored.map((end) => end - before), leaves, bytes };
  });
}

/** Up to `count` entries from an index on, in order. A gap is the caller's to notice. */
export async function selectEntries(db: Queryable, logId: number, from: bigint, count: number): Promise<EntryRow[]> {
  return (await selectRuns(db, logId, from, count)).flatMap(entriesOf);
}

/** A run's entries, one by one; their bytes are views of the run's. */
export function entriesOf({ firstIndex, ends, bytes }: Run): EntryRow[] {
  return ends.map((end, i) => ({
    leafIndex: firstIndex + BigInt(i),
    bytes: bytes.subarray(ends[i - 1] ?? 0, end),
  }));
}

/** One entry, if it is there, without its neighbours. */
export async function selectEntry(db: Queryable, logId: number, index: bigint): Promise<Uint8Array | undefined> {
  const { rows } = await db.query<{ bytes: Buffer }>(
    `select substring(bytes from coalesce(ends[at - 1], 0) + 1 for ends[at] - coalesce(ends[at - 1], 0)) as bytes
     from (
       select ends, bytes, ($2::bigint - first_index)::int + 1 as at from behalf.entry_bundle
       where log_id = $1::int and first_index between $2::bigint - $2::bigint % 256 and $2::bigint
       order by first_index desc limit 1
     ) r where at <= cardinality(ends)`,
    [logId, index],
  );
  return rows[0]?.bytes;
}

/** The lowest index at or beyond `from`, if any. */
export async function selectIndexFrom(db: Queryable, logId: number, from: bigint): Promise<bigint | undefined> {
  const { rows } = await db.query<{ at: string | null }>(
    `select min(greatest(first_index, $2::bigint)) as at from behalf.entry_bundle
     where log_id = $1::int and first_index >= $2::bigint - $2::bigint % 256
       and first_index + cardinality(ends) > $2::bigint`,
    [logId, from],
  );
  const at = rows[0]?.at;
  return at === undefined || at === null ? undefined : BigInt(at);
}
