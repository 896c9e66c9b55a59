import type { Queryable } from '#database';

/** Decimal unix nanoseconds: from included, to not. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

export interface HopRow {
  readonly hopId: string;
  readonly time: string;
  readonly chainId: string;
  readonly rules: readonly string[];
  readonly body: string;
}

/** The next hops of a period in order of time, after the last one seen. */
export async function selectHopsOfPeriod(
  db: Queryable,
  logId: number,
  { from, to }: Period,
  after: HopRow | undefined,
  limit: number,
): Promise<readonly HopRow[]> {
  const { rows } = await db.query<HopRow>(
    `select hop_id as "hopId", time::text, chain_id as "chainId", rules, body from behalf.hop
     where log_id = $1::int and time >= $2::numeric and time < $3::numeric
       and ($4::numeric is null or (time, hop_id) > ($4::numeric, $5::uuid))
     order by time, hop_id limit $6::int`,
    [logId, from, to, after?.time ?? null, after?.hopId ?? null, limit],
  );
  return rows;
}
