import type { Queryable } from '#database';

/** A party, and what is asked of it: statements before a leaf index and up to a moment (unix nanoseconds). */
export interface AskedEnding {
  readonly party: string;
  readonly before: bigint;
  readonly until: bigint;
}

export interface EndingRow {
  readonly party: string;
  readonly before: bigint;
  readonly effect: 'revoked' | 'restored';
  readonly time: string; // 20 digits
  readonly leafIndex: string;
}

/** Most statements read of one party: the last ones decide. */
const MOST = 64;

/** When parties were offboarded or came back, as earlier entries say; the last statements of each. */
export async function selectEndings(
  db: Queryable,
  logId: number,
  asked: readonly AskedEnding[],
): Promise<readonly EndingRow[]> {
  if (asked.length === 0) return [];
  const { rows } = await db.query<Omit<EndingRow, 'before'> & { readonly before: string }>(
    `select a.party, a.before, e.kind as effect, e.value as time, e.first_leaf::text as "leafIndex"
     from unnest($2::text[], $3::bigint[], $4::text[]) as a(party, before, until) cross join lateral (
       select f.kind, f.value, f.first_leaf from behalf.party_fact f
       where f.log_id = $1::int and f.party_key = a.party and f.kind in ('restored', 'revoked')
         and f.value <= a.until and f.first_leaf < a.before
       order by f.value desc limit ${MOST}
     ) e`,
    [
      logId,
      asked.map(({ party }) => party),
      asked.map(({ before }) => before),
      asked.map(({ until }) => String(until).padStart(20, '0')),
    ],
  );
  return rows.map((row) => ({ ...row, before: BigInt(row.before) }));
}
