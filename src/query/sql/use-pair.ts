import type { Queryable } from '#database';
import type { Period, UseRow } from './reach.ts';

export interface UsePair {
  readonly from: string;
  readonly to: string;
}

/**
 * Which service was seen calling which, in order of the caller: found one after the other in the index that serves the other
 * direction, without reading the calls between; at most `limit`.
 */
export async function selectUsePairs(db: Queryable, logId: number, limit: number): Promise<readonly UsePair[]> {
  const { rows } = await db.query<UsePair>(
    `with recursive pair as (
       (select h.from_service, h.to_service from behalf.hop h
        where h.log_id = $1::int and h.from_service <> h.to_service
        order by h.from_service, h.to_service limit 1)
       union all
       select n.from_service, n.to_service from pair p cross join lateral (
         select h.from_service, h.to_service from behalf.hop h
         where h.log_id = $1::int and h.from_service <> h.to_service
           and (h.from_service, h.to_service) > (p.from_service, p.to_service)
         order by h.from_service, h.to_service limit 1
       ) n
     )
     select from_service as "from", to_service as "to" from pair limit $2::int`,
    [logId, limit],
  );
  return rows;
}

const SAMPLE = 8;

/** The newest calls of each of these pairs. */
export async function selectPairSamples(
  db: Queryable,
  logId: number,
  pairs: readonly UsePair[],
  { from, to }: Period,
): Promise<readonly UseRow[]> {
  if (pairs.length === 0) return [];
  const { rows } = await db.query<UseRow>(
    `select p.from_service as "from", p.to_service as "to", u.body
     from unnest($2::text[], $3::text[]) as p(from_service, to_service) cross join lateral (
       select h.body from behalf.hop h
       where h.log_id = $1::int and h.from_service = p.from_service and h.to_service = p.to_service
         and h.from_service <> h.to_service
         and ($4::numeric is null or h.time >= $4::numeric) and ($5::numeric is null or h.time < $5::numeric)
       order by h.time desc, h.hop_id limit ${SAMPLE}
     ) u`,
    [logId, pairs.map((pair) => pair.from), pairs.map((pair) => pair.to), from ?? null, to ?? null],
  );
  return rows;
}
