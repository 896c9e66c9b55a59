import type { Queryable } from '#database';
import { keyHash } from '#projection';

export interface Period {
  readonly from: string | undefined; // unix nanoseconds, decimal
  readonly to: string | undefined;
}

/** Where chains are looked for: at most one of these is given. */
export interface OriginFilter {
  readonly partyKeys?: readonly string[];
  readonly digest?: string;
  readonly service?: string;
  readonly resource?: string;
}

/** The newest chains that an origin occurs in and that overlap the period, newest first; one more than the limit when there are more. */
export async function selectOriginChains(
  db: Queryable,
  logId: number,
  { partyKeys, digest, service, resource }: OriginFilter,
  { from, to, limit }: Period & { readonly limit: number },
): Promise<readonly string[]> {
  const { rows } = await db.query<{ body: string }>(
    `select c.body from behalf.chain c
     where c.log_id = $1::int
       and ($2::text[] is null or c.subject_key = any($2::text[]) or c.actor_keys && $2::text[])
       and ($3::bytea is null or c.set_id = (select k.set_id from behalf.entry_key k where k.log_id = $1::int and k.key = $3::bytea))
       and ($4::text is null or c.services @> array[$4::text])
       and ($5::text is null or c.resources @> array[$5::text])
       and ($6::numeric is null or c.to_time >= $6::numeric)
       and ($7::numeric is null or c.from_time < $7::numeric)
     order by c.from_time desc, c.chain_id desc
     limit $8::int`,
    [
      logId,
      partyKeys ?? null,
      digest === undefined ? null : Buffer.from(keyHash('token', digest), 'hex'),
      service ?? null,
      resource ?? null,
      from ?? null,
      to ?? null,
      limit + 1,
    ],
  );
  return rows.map(({ body }) => body);
}

export interface UseRow {
  readonly from: string;
  readonly to: string;
  readonly body: string; // of a hop
}

const SAMPLE = 8;
const MAX_ROWS = 1_600;

/**
 * The newest calls of each pair of services that begins at one of these. Pairs are found one after the other in the index,
 * without reading the calls between them.
 */
export async function selectUse(
  db: Queryable,
  logId: number,
  services: readonly string[],
  { from, to }: Period,
): Promise<readonly UseRow[]> {
  const { rows } = await db.query<UseRow>(
    `with recursive edge as (
       select s.name as from_service, (select h.to_service from behalf.hop h
         where h.log_id = $1::int and h.from_service = s.name and h.from_service <> h.to_service
         order by h.to_service limit 1) as to_service
       from unnest($2::text[]) as s(name)
       union all
       select e.from_service, (select h.to_service from behalf.hop h
         where h.log_id = $1::int and h.from_service = e.from_service and h.to_service > e.to_service
           and h.from_service <> h.to_service
         order by h.to_service limit 1)
       from edge e where e.to_service is not null
     )
     select e.from_service as "from", e.to_service as "to", u.body
     from edge e cross join lateral (
       select h.body from behalf.hop h
       where h.log_id = $1::int and h.from_service = e.from_service and h.to_service = e.to_service
         and h.from_service <> h.to_service
         and ($3::numeric is null or h.time >= $3::numeric) and ($4::numeric is null or h.time < $4::numeric)
       order by h.time desc, h.hop_id limit ${SAMPLE}
     ) u
     where e.to_service is not null
     limit ${MAX_ROWS}`,
    [logId, services, from ?? null, to ?? null],
  );
  return rows;
}
