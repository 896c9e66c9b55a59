import type { Queryable } from '#database';

export interface EntryRow {
  readonly leafIndex: bigint;
  readonly bytes: Uint8Array;
}

/** Up to `count` entries from an index on, in order. A gap is the caller's to notice. */
export async function selectEntries(db: Queryable, logId: number, from: bigint, count: number): Promise<EntryRow[]> {
  const { rows } = await db.query<{ at: string; bytes: Buffer }>(
    `select leaf_index as at, bytes from behalf.entry
     where log_id = $1::int and leaf_index >= $2::bigint and leaf_index < $2::bigint + $3::int
     order by leaf_index`,
    [logId, from, count],
  );
  return rows.map((row) => ({ leafIndex: BigInt(row.at), bytes: row.bytes }));
}

/** The lowest index at or beyond `from`, if any. */
export async function selectIndexFrom(db: Queryable, logId: number, from: bigint): Promise<bigint | undefined> {
  const { rows } = await db.query<{ at: string | null }>(
    'select min(leaf_index) as at from behalf.entry where log_id = $1::int and leaf_index >= $2::bigint',
    [logId, from],
  );
  const at = rows[0]?.at;
  return at === undefined || at === null ? undefined : BigInt(at);
}

/** How many observation ids are remembered as sequenced, and the lowest index among theirs. */
export async function countSequenced(
  db: Queryable,
  logId: number,
): Promise<{ readonly count: bigint; readonly from: bigint | undefined }> {
  const { rows } = await db.query<{ count: string; from: string | null }>(
    'select count(*) as count, min(leaf_index) as from from behalf.sequenced_id where log_id = $1::int',
    [logId],
  );
  const { count = '0', from = null } = rows[0] ?? {};
  return { count: BigInt(count), from: from === null ? undefined : BigInt(from) };
}
