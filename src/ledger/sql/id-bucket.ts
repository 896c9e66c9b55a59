import type { Queryable } from '#database';

/** Ids of one batch in one bucket: 16 bytes each, at these leaf indexes. */
export interface IdBucketRow {
  readonly bucket: number;
  readonly ids: Uint8Array;
  readonly indexes: readonly number[];
}

/** Everything that is remembered in these buckets. */
export async function selectIdBuckets(
  db: Queryable,
  logId: number,
  buckets: readonly number[],
): Promise<IdBucketRow[]> {
  const { rows } = await db.query<{ bucket: string; first: string; offsets: string | null; ids: Buffer }>({
    name: 'behalf_ids',
    text: `select bucket, first_index as first, array_to_string(offsets, ',') as offsets, ids
           from behalf.id_bucket where log_id = $1::int and bucket = any($2::bigint[])`,
    values: [logId, buckets],
  });
  return rows.map(({ bucket, first, offsets, ids }) => ({
    bucket: Number(bucket),
    ids,
    indexes: indexesOf(Number(first), offsets, ids.length / 16),
  }));
}

function indexesOf(first: number, offsets: string | null, count: number): number[] {
  if (offsets === null) return Array.from({ length: count }, (_, i) => first + i);
  return offsets.split(',').map((offset) => first + Number(offset));
}

/** How many observation ids are remembered as sequenced, and the lowest index among theirs. */
export async function countIds(
  db: Queryable,
  logId: number,
): Promise<{ readonly count: bigint; readonly from: bigint | undefined }> {
  const { rows } = await db.query<{ count: string | null; from: string | null }>(
    'select sum(octet_length(ids) / 16) as count, min(first_index) as from from behalf.id_bucket where log_id = $1::int',
    [logId],
  );
  const { count = null, from = null } = rows[0] ?? {};
  return { count: BigInt(count ?? 0), from: from === null ? undefined : BigInt(from) };
}
