import type { Queryable } from '#database';

/** How far a log is followed; undefined before the first step. */
export async function selectPosition(db: Queryable, logId: number): Promise<bigint | undefined> {
  const { rows } = await db.query<{ position: string }>(
    'select position from behalf.projection where log_id = $1::int',
    [logId],
  );
  return rows[0] && BigInt(rows[0].position);
}

/** The same, with the row held until the transaction ends: one follower at a time. */
export async function lockPosition(db: Queryable, logId: number): Promise<bigint> {
  await db.query(
    'insert into behalf.projection (log_id, position) values ($1::int, 0) on conflict (log_id) do nothing',
    [logId],
  );
  const { rows } = await db.query<{ position: string }>(
    'select position from behalf.projection where log_id = $1::int for update',
    [logId],
  );
  return BigInt(rows[0]?.position ?? 0);
}

export async function updatePosition(db: Queryable, logId: number, position: bigint): Promise<void> {
  await db.query('update behalf.projection set position = $2::bigint where log_id = $1::int', [logId, position]);
}

/** Entries that could not be read so far. */
export async function insertUnread(
  db: Queryable,
  logId: number,
  unread: readonly { readonly leafIndex: bigint; readonly reason: string }[],
): Promise<void> {
  await db.query(
    `insert into behalf.unread_entry (log_id, leaf_index, reason)
     select $1::int, u.leaf_index, u.reason from unnest($2::bigint[], $3::text[]) as u(leaf_index, reason)`,
    [logId, unread.map((each) => each.leafIndex), unread.map((each) => each.reason)],
  );
}

/** Every table of the projection, none of them the truth. */
const TABLES = [
  'projection',
  'projected_entry',
  'entry_set',
  'entry_key',
  'unread_entry',
  'chain',
  'hop',
  'finding',
  'party',
  'party_fact',
  'shared_credential',
] as const;

/** Forgets one log's projection. */
export async function deleteProjection(db: Queryable, logId: number): Promise<void> {
  for (const table of TABLES) {
    if (table === 'projection') continue; // its row is the lock this transaction holds
    await db.query(`delete from behalf.${table} where log_id = $1::int`, [logId]);
  }
  await updatePosition(db, logId, 0n);
}
