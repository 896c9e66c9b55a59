import type { Queryable } from '#database';

export interface PublishedAt {
  readonly size: string; // decimal
  readonly nanoseconds: string; // since the Unix epoch, decimal
}

/** The smallest published checkpoint of at least this size. */
export async function selectCheckpointFrom(
  db: Queryable,
  logId: number,
  size: bigint,
): Promise<PublishedAt | undefined> {
  const { rows } = await db.query<PublishedAt>(
    `select size::text, ((extract(epoch from published_at) * 1000000)::bigint * 1000)::text as nanoseconds
     from behalf.checkpoint where log_id = $1::int and size >= $2::bigint order by size limit 1`,
    [logId, size],
  );
  return rows[0];
}
