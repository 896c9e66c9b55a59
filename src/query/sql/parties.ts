import type { Queryable } from '#database';
import type { FactKind } from '#projection';

export interface PartyRow {
  readonly key: string;
  readonly type: string;
  readonly issuer: string | null;
  readonly id: string | null;
  readonly firstSeen: string; // unix nanoseconds, decimal
  readonly lastSeen: string;
  readonly days: number;
}

export interface PartiesFilter {
  readonly keys: readonly string[] | undefined;
  readonly type: string | undefined;
  /** Only parties last seen before: unix nanoseconds, decimal. */
  readonly silentSince: string | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

/** Parties that are no persons and were seen acting, in order of their key. */
export async function selectParties(
  db: Queryable,
  logId: number,
  { keys, type, silentSince, after, limit }: PartiesFilter,
): Promise<readonly PartyRow[]> {
  const { rows } = await db.query<PartyRow>(
    `select p.party_key as key, p.type, p.issuer, p.id, d.first_seen::text as "firstSeen",
       d.last_seen::text as "lastSeen", d.days
     from behalf.party p cross join lateral (
       select min(f.first_seen) as first_seen, max(f.last_seen) as last_seen, count(*)::int as days
       from behalf.party_fact f
       where f.log_id = $1::int and f.party_key = p.party_key and f.kind = 'day'
     ) d
     where p.log_id = $1::int and p.type in ('service', 'ai_agent', 'device') and d.days > 0
       and ($2::text[] is null or p.party_key = any($2::text[]))
       and ($3::text is null or p.type = $3::text)
       and ($4::numeric is null or d.last_seen < $4::numeric)
       and ($5::text is null or p.party_key > $5::text)
     order by p.party_key
     limit $6::int`,
    [logId, keys ?? null, type ?? null, silentSince ?? null, after ?? null, limit],
  );
  return rows;
}

export interface FactRow {
  readonly key: string;
  readonly kind: FactKind;
  readonly value: string;
  readonly lastSeen: string;
}

export interface SharingRow {
  readonly key: string;
  readonly digest: string;
  readonly party: string; // that presents it too
  readonly workload: string | null;
}

const MOST_SHARING = 5_000;

/** Which credentials of these parties are presented by whom: those a rule found shared, and long-lived ones of several parties. */
export async function selectSharing(
  db: Queryable,
  logId: number,
  keys: readonly string[],
): Promise<readonly SharingRow[]> {
  const { rows } = await db.query<SharingRow>(
    `with held as (
       select s.party_key as key, s.digest from behalf.shared_credential s
       where s.log_id = $1::int and s.party_key = any($2::text[])
       union
       select f.party_key, f.value from behalf.party_fact f
       where f.log_id = $1::int and f.kind = 'credential' and f.party_key = any($2::text[])
     )
     select h.key, h.digest, s.party_key as party, s.workload
     from held h join behalf.shared_credential s on s.log_id = $1::int and s.digest = h.digest
     union
     select h.key, h.digest, f.party_key, null
     from held h join behalf.party_fact f on f.log_id = $1::int and f.kind = 'credential' and f.value = h.digest
     where f.party_key <> h.key
     order by 1, 2, 3, 4
     limit ${MOST_SHARING}`,
    [logId, keys],
  );
  return rows;
}

/** What is known of these parties, the newest of each kind first, at most so many of each. */
export async function selectFacts(
  db: Queryable,
  logId: number,
  keys: readonly string[],
  limit: number,
): Promise<readonly FactRow[]> {
  const { rows } = await db.query<FactRow>(
    `select key, kind, value, last_seen::text as "lastSeen" from (
       select f.party_key as key, f.kind, f.value, f.last_seen,
         row_number() over (partition by f.party_key, f.kind order by f.last_seen desc, f.value) as place
       from behalf.party_fact f
       where f.log_id = $1::int and f.party_key = any($2::text[]) and f.kind <> 'day'
     ) newest
     where place <= $3::int
     order by key, kind, last_seen desc, value`,
    [logId, keys, limit],
  );
  return rows;
}
