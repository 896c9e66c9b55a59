import type { Queryable } from '#database';

/** A party, and the leaf index before which its history is asked for. */
export interface Asked {
  readonly party: string;
  readonly before: bigint;
}

export interface PastRow {
  readonly party: string;
  readonly before: bigint;
  readonly firstDay: string; // such as 2026-11-24
  readonly lastDay: string;
  readonly days: number;
  readonly hosts: readonly string[];
  readonly tools: readonly string[];
  readonly scopesUsed: readonly string[];
}

/** Days are counted up to this: enough for every rule. */
export const MOST_DAYS = 30;
/** Most facts of a kind that are read. */
export const MOST_FACTS = 256;

/**
 * What was known of parties before an entry: only facts that an earlier entry says, so that the answer is the same whenever
 * it is asked. Who was unknown then is left out.
 */
export async function selectPast(db: Queryable, logId: number, asked: readonly Asked[]): Promise<readonly PastRow[]> {
  if (asked.length === 0) return [];
  const { rows } = await db.query<Omit<PastRow, 'before'> & { readonly before: string }>(
    `select a.party, a.before, past.*, ${listOf('host')} as hosts, ${listOf('tool')} as tools,
       ${listOf('scope_used')} as "scopesUsed"
     from unnest($2::text[], $3::bigint[]) as a(party, before) cross join lateral (
       select (${dayOf('asc')}) as "firstDay", (${dayOf('desc')}) as "lastDay",
         (select count(*)::int from (select 1 ${facts('day')} limit ${MOST_DAYS}) counted) as days
     ) past
     where past.days > 0`,
    [logId, asked.map(({ party }) => party), asked.map(({ before }) => before)],
  );
  return rows.map((row) => ({ ...row, before: BigInt(row.before) }));
}

const facts = (kind: string): string => `from behalf.party_fact f where f.log_id = $1::int and f.party_key = a.party
  and f.kind = '${kind}' and f.first_leaf < a.before`;
const dayOf = (order: 'asc' | 'desc'): string => `select f.value ${facts('day')} order by f.value ${order} limit 1`;
const listOf = (kind: string): string =>
  `array(select f.value ${facts(kind)} order by f.value limit ${MOST_FACTS + 1})`;
