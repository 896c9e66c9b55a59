import type { Queryable } from '#database';

/** A log's changes to the default thresholds as JSON; `{}` where it has none. */
export async function selectThresholds(db: Queryable, logId: number): Promise<string> {
  const { rows } = await db.query<{ thresholds: string }>(
    'select thresholds from behalf.projection where log_id = $1::int',
    [logId],
  );
  return rows[0]?.thresholds ?? '{}';
}

export async function updateThresholds(db: Queryable, logId: number, thresholds: string): Promise<void> {
  await db.query('update behalf.projection set thresholds = $2::text where log_id = $1::int', [logId, thresholds]);
}
