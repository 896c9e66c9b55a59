import type { Queryable } from '#database';
import type { Place } from '../cursor.ts';

/** What a list is narrowed by; undefined does not narrow. Times are decimal unix nanoseconds: from included, to not. */
export interface Filter {
  readonly subject: readonly string[] | undefined;
  readonly actor: readonly string[] | undefined;
  readonly service: string | undefined;
  readonly resource: string | undefined;
  readonly scope: string | undefined;
  readonly verdict: string | undefined;
  readonly finding: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface Page {
  readonly after: Place | undefined;
  readonly limit: number;
}

// Where a parameter is null its condition is true: the server plans for the values given, so that indexes serve the rest.

/** Chains that overlap the period, newest first. */
export async function selectChains(
  db: Queryable,
  logId: number,
  filter: Filter,
  { after, limit }: Page,
): Promise<readonly { readonly summary: string; readonly place: Place }[]> {
  const { rows } = await db.query<{ summary: string; from_time: string; chain_id: string }>(
    `select c.summary, c.from_time::text, c.chain_id from behalf.chain c
     where c.log_id = $1::int
       and ($2::text[] is null or c.subject_key = any($2::text[]))
       and ($3::text[] is null or c.actor_keys && $3::text[])
       and ($4::text is null or c.services @> array[$4::text])
       and ($5::text is null or c.resources @> array[$5::text])
       and ($6::text is null or c.scopes @> array[$6::text])
       and ($7::text is null or c.verdict = $7::text)
       and ($8::text is null or c.rules @> array[$8::text])
       and ($9::numeric is null or c.to_time >= $9::numeric)
       and ($10::numeric is null or c.from_time < $10::numeric)
       and ($11::numeric is null or (c.from_time, c.chain_id) < ($11::numeric, $12::text))
     order by c.from_time desc, c.chain_id desc
     limit $13::int`,
    [logId, ...valuesOf(filter), after?.[0] ?? null, after?.[1] ?? null, limit],
  );
  return rows.map(({ summary, from_time, chain_id }) => ({ summary, place: [from_time, chain_id] }));
}

export interface HopRow {
  readonly chain: string;
  readonly body: string;
  readonly place: Place;
}

/** Hops of the period, newest first. */
export async function selectHops(
  db: Queryable,
  logId: number,
  filter: Filter,
  { after, limit }: Page,
): Promise<readonly HopRow[]> {
  const { rows } = await db.query<{ chain_id: string; body: string; time: string; hop_id: string }>(
    `select h.chain_id, h.body, h.time::text, h.hop_id from behalf.hop h
     where h.log_id = $1::int
       and ($2::text[] is null or h.subject_key = any($2::text[]))
       and ($3::text[] is null or h.actor_keys && $3::text[])
       and ($4::text is null or h.from_service = $4::text or h.to_service = $4::text)
       and ($5::text is null or h.resource = $5::text)
       and ($6::text is null or h.scopes @> array[$6::text])
       and ($7::text is null or h.verdict = $7::text)
       and ($8::text is null or h.rules @> array[$8::text])
       and ($9::numeric is null or h.time >= $9::numeric)
       and ($10::numeric is null or h.time < $10::numeric)
       and ($11::numeric is null or (h.time, h.hop_id) < ($11::numeric, $12::uuid))
     order by h.time desc, h.hop_id desc
     limit $13::int`,
    [logId, ...valuesOf(filter), after?.[0] ?? null, after?.[1] ?? null, limit],
  );
  return rows.map(({ chain_id, body, time, hop_id }) => ({ chain: chain_id, body, place: [time, hop_id] }));
}

const valuesOf = (filter: Filter) => [
  filter.subject ?? null,
  filter.actor ?? null,
  filter.service ?? null,
  filter.resource ?? null,
  filter.scope ?? null,
  filter.verdict ?? null,
  filter.finding ?? null,
  filter.from ?? null,
  filter.to ?? null,
];

/** What names the persons that these findings may mention: the hops they are shown at, and the summaries of their chains. */
export async function selectMentioning(
  db: Queryable,
  logId: number,
  chains: readonly string[],
  hops: readonly string[],
): Promise<{ readonly hops: readonly string[]; readonly summaries: readonly string[] }> {
  const { rows } = await db.query<{ hop: string | null; summary: string | null }>(
    `select h.body as hop, null as summary from behalf.hop h where h.log_id = $1::int and h.hop_id = any($2::uuid[])
     union all
     select null, c.summary from behalf.chain c where c.log_id = $1::int and c.chain_id = any($3::text[])`,
    [logId, hops, chains],
  );
  return { hops: rows.flatMap(({ hop }) => hop ?? []), summaries: rows.flatMap(({ summary }) => summary ?? []) };
}

export interface FindingFilter {
  readonly finding: string | undefined;
  readonly severity: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Findings of chains that began in the period, newest first. */
export async function selectFindings(
  db: Queryable,
  logId: number,
  filter: FindingFilter,
  { after, limit }: Page,
): Promise<readonly { readonly chain: string; readonly time: string; readonly body: string; readonly place: Place }[]> {
  const { rows } = await db.query<{ chain_id: string; time: string; ordinal: number; body: string }>(
    `select f.chain_id, f.time::text, f.ordinal, f.body from behalf.finding f
     where f.log_id = $1::int
       and ($2::text is null or f.rule = $2::text)
       and ($3::text is null or f.severity = $3::text)
       and ($4::numeric is null or f.time >= $4::numeric)
       and ($5::numeric is null or f.time < $5::numeric)
       and ($6::numeric is null or (f.time, f.chain_id, f.ordinal) < ($6::numeric, $7::text, $8::int))
     order by f.time desc, f.chain_id desc, f.ordinal desc
     limit $9::int`,
    [
      logId,
      filter.finding ?? null,
      filter.severity ?? null,
      filter.from ?? null,
      filter.to ?? null,
      after?.[0] ?? null,
      after?.[1] ?? null,
      after?.[2] ?? null,
      limit,
    ],
  );
  return rows.map(({ chain_id, time, ordinal, body }) => ({
    chain: chain_id,
    time,
    body,
    place: [time, chain_id, String(ordinal)],
  }));
}
