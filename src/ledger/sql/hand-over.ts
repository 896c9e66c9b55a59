import type { Queryable } from '#database';

export interface HandOverRow {
  readonly leafIndex: bigint;
  readonly note: string;
}

/** All of a log, oldest first. */
export async function selectHandOvers(db: Queryable, logId: number): Promise<HandOverRow[]> {
  const { rows } = await db.query<{ leafIndex: string; note: string }>(
    `select leaf_index as "leafIndex", note from behalf.hand_over where log_id = $1::int order by leaf_index`,
    [logId],
  );
  return rows.map(({ leafIndex, note }) => ({ leafIndex: BigInt(leafIndex), note }));
}

/** One that is there stays. */
export async function insertHandOver(db: Queryable, logId: number, { leafIndex, note }: HandOverRow): Promise<void> {
  await db.query(
    `insert into behalf.hand_over (log_id, leaf_index, note)
     values ($1::int, $2::bigint, $3::text) on conflict (log_id, leaf_index) do nothing`,
    [logId, leafIndex, note],
  );
}
