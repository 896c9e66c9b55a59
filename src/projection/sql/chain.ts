import type { Queryable } from '#database';
import type { ChainRow, FindingRow, HopRow, PartyRow } from '../row.ts';
import { textAt, textBlock } from './text-block.ts';

/** The exact bytes of every entry of these sets, in order of the log. */
export async function selectMembers(
  db: Queryable,
  logId: number,
  sets: readonly bigint[],
): Promise<readonly { readonly set: bigint; readonly leafIndex: bigint; readonly bytes: Uint8Array }[]> {
  const { rows } = await db.query<{ set_id: string; leaf_index: string; bytes: Buffer }>(
    `select p.set_id, p.leaf_index, e.bytes
     from behalf.projected_entry p cross join lateral (
       select substring(r.bytes from coalesce(r.ends[r.at - 1], 0) + 1 for r.ends[r.at] - coalesce(r.ends[r.at - 1], 0)) as bytes
       from (
         select b.ends, b.bytes, (p.leaf_index - b.first_index)::int + 1 as at from behalf.entry_bundle b
         where b.log_id = $1::int and b.first_index between p.leaf_index - p.leaf_index % 256 and p.leaf_index
         order by b.first_index desc limit 1
       ) r where r.at <= cardinality(r.ends)
     ) e
     where p.log_id = $1::int and p.set_id = any($2::bigint[])
     order by p.leaf_index`,
    [logId, sets],
  );
  return rows.map((row) => ({ set: BigInt(row.set_id), leafIndex: BigInt(row.leaf_index), bytes: row.bytes }));
}

/** Removes what was stitched from these sets. */
export async function deleteChains(db: Queryable, logId: number, sets: readonly bigint[]): Promise<void> {
  for (const table of ['chain', 'hop', 'finding', 'shared_credential']) {
    await db.query(`delete from behalf.${table} where log_id = $1::int and set_id = any($2::bigint[])`, [logId, sets]);
  }
}

/** What was stitched: chains with their hops and findings. */
export interface Stitched {
  readonly chains: readonly ChainRow[];
  readonly hops: readonly HopRow[];
  readonly findings: readonly FindingRow[];
}

/**
 * One statement, so that the server is busy with all of it while the next chains are stitched. Rows with lists go as one JSON
 * array each: unnest cannot take arrays of arrays of different length. Their bodies go beside, end to end.
 */
export async function insertStitched(
  db: Queryable,
  logId: number,
  { chains, hops, findings }: Stitched,
): Promise<void> {
  const { bytes, places } = textBlock([
    ...chains.flatMap(({ summary, body }) => [summary, body]),
    ...hops.map(({ body }) => body),
    ...findings.map(({ body }) => body),
  ]);
  const [firstHop, firstFinding] = [2 * chains.length, 2 * chains.length + hops.length];
  const rows = [
    chains.map((row, i) => ({ ...row, summary: places[2 * i], body: places[2 * i + 1] })),
    hops.map((row, i) => ({ ...row, body: places[firstHop + i] })),
    findings.map((row, i) => ({ ...row, body: places[firstFinding + i] })),
  ];
  await db.query({
    name: 'projection-insert-stitched',
    text: INSERT_STITCHED,
    values: [logId, ...rows.map((each) => JSON.stringify(each)), bytes],
  });
}

const bodyAt = (place: string): string => textAt('$5', place);

const INSERT_STITCHED = `
  with chains as (
    insert into behalf.chain (log_id, chain_id, set_id, from_time, to_time, subject_key, actor_keys, services, resources,
      scopes, trace_ids, transactions, verdict, rules, summary, body)
    select $1::int, c.chain_id, c.set_id, c.from_time, c.to_time, c.subject_key, c.actor_keys, c.services, c.resources,
      c.scopes, c.trace_ids, c.transactions, c.verdict, c.rules, ${bodyAt('c.summary')}, ${bodyAt('c.body')}
    from json_to_recordset($2::json) as c(chain_id text, set_id bigint, from_time numeric, to_time numeric,
      subject_key text, actor_keys text[], services text[], resources text[], scopes text[], trace_ids text[],
      transactions text[], verdict text, rules text[], summary int[], body int[])
  ), hops as (
    insert into behalf.hop (log_id, hop_id, chain_id, set_id, time, from_service, to_service, resource, subject_key,
      actor_keys, scopes, grade, verdict, rules, body)
    select $1::int, h.hop_id, h.chain_id, h.set_id, h.time, h.from_service, h.to_service, h.resource, h.subject_key,
      h.actor_keys, h.scopes, h.grade, h.verdict, h.rules, ${bodyAt('h.body')}
    from json_to_recordset($3::json) as h(hop_id uuid, chain_id text, set_id bigint, time numeric, from_service text,
      to_service text, resource text, subject_key text, actor_keys text[], scopes text[], grade text, verdict text,
      rules text[], body int[])
  )
  insert into behalf.finding (log_id, chain_id, ordinal, set_id, time, rule, severity, body)
  select $1::int, f.chain_id, f.ordinal, f.set_id, f.time, f.rule, f.severity, ${bodyAt('f.body')}
  from json_to_recordset($4::json) as f(chain_id text, ordinal int, set_id bigint, time numeric, rule text,
    severity text, body int[])`;

export async function insertParties(db: Queryable, logId: number, parties: readonly PartyRow[]): Promise<void> {
  await db.query(
    `insert into behalf.party (log_id, party_key, type, issuer, id)
     select $1::int, p.party_key, p.type, p.issuer, p.id
     from json_to_recordset($2::json) as p(party_key text, type text, issuer text, id text)
     order by p.party_key
     on conflict (log_id, party_key) do nothing`,
    [logId, JSON.stringify(parties)],
  );
}
