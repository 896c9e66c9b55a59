import type { Queryable } from '#database';
import type { ChainRow, FindingRow, HopRow, PartyRow } from '../row.ts';
import { type Place, textAt, textBlock } from './text-block.ts';

/** The exact bytes of every entry of these sets, in order of the log. */
export async function selectMembers(
  db: Queryable,
  logId: number,
  sets: readonly bigint[],
): Promise<readonly { readonly set: bigint; readonly leafIndex: bigint; readonly bytes: Uint8Array }[]> {
  const { rows } = await db.query<{ set_id: string; leaf_index: string; bytes: Buffer }>(
    `select p.set_id, p.leaf_index, e.bytes
     from behalf.projected_entry p join behalf.entry e on e.log_id = p.log_id and e.leaf_index = p.leaf_index
     where p.log_id = $1::int and e.log_id = $1::int and p.set_id = any($2::bigint[])
     order by p.leaf_index`,
    [logId, sets],
  );
  return rows.map((row) => ({ set: BigInt(row.set_id), leafIndex: BigInt(row.leaf_index), bytes: row.bytes }));
}

/** Removes what was stitched from these sets. */
export async function deleteChains(db: Queryable, logId: number, sets: readonly bigint[]): Promise<void> {
  for (const table of ['chain', 'hop', 'finding']) {
    await db.query(`delete from behalf.${table} where log_id = $1::int and set_id = any($2::bigint[])`, [logId, sets]);
  }
}

// Rows with lists go as one JSON array each: unnest cannot take arrays of arrays of different length. Bodies go beside it.

export async function insertChains(db: Queryable, logId: number, chains: readonly ChainRow[]): Promise<void> {
  const summaries = textBlock(chains.map(({ summary }) => summary));
  const bodies = textBlock(chains.map(({ body }) => body));
  const rows = chains.map(({ summary: _, body: __, ...row }, i) => ({
    ...row,
    ...placed('summary', summaries.places[i]),
    ...placed('body', bodies.places[i]),
  }));
  await db.query(
    `insert into behalf.chain (log_id, chain_id, set_id, from_time, to_time, subject_key, actor_keys, services, resources,
       scopes, trace_ids, transactions, verdict, rules, summary, body)
     select $1::int, c.chain_id, c.set_id, c.from_time, c.to_time, c.subject_key, c.actor_keys, c.services, c.resources,
       c.scopes, c.trace_ids, c.transactions, c.verdict, c.rules, ${textAt('$3', 'c.summary_at', 'c.summary_length')},
       ${textAt('$4', 'c.body_at', 'c.body_length')}
     from json_to_recordset($2::json) as c(chain_id text, set_id bigint, from_time numeric, to_time numeric,
       subject_key text, actor_keys text[], services text[], resources text[], scopes text[], trace_ids text[],
       transactions text[], verdict text, rules text[], summary_at int, summary_length int, body_at int, body_length int)`,
    [logId, JSON.stringify(rows), summaries.bytes, bodies.bytes],
  );
}

export async function insertHops(db: Queryable, logId: number, hops: readonly HopRow[]): Promise<void> {
  const bodies = textBlock(hops.map(({ body }) => body));
  const rows = hops.map(({ body: _, ...row }, i) => ({ ...row, ...placed('body', bodies.places[i]) }));
  await db.query(
    `insert into behalf.hop (log_id, hop_id, chain_id, set_id, time, from_service, to_service, resource, subject_key,
       actor_keys, scopes, grade, verdict, rules, body)
     select $1::int, h.hop_id, h.chain_id, h.set_id, h.time, h.from_service, h.to_service, h.resource, h.subject_key,
       h.actor_keys, h.scopes, h.grade, h.verdict, h.rules, ${textAt('$3', 'h.body_at', 'h.body_length')}
     from json_to_recordset($2::json) as h(hop_id uuid, chain_id text, set_id bigint, time numeric, from_service text,
       to_service text, resource text, subject_key text, actor_keys text[], scopes text[], grade text, verdict text,
       rules text[], body_at int, body_length int)`,
    [logId, JSON.stringify(rows), bodies.bytes],
  );
}

export async function insertFindings(db: Queryable, logId: number, findings: readonly FindingRow[]): Promise<void> {
  const bodies = textBlock(findings.map(({ body }) => body));
  const rows = findings.map(({ body: _, ...row }, i) => ({ ...row, ...placed('body', bodies.places[i]) }));
  await db.query(
    `insert into behalf.finding (log_id, chain_id, ordinal, set_id, time, rule, severity, body)
     select $1::int, f.chain_id, f.ordinal, f.set_id, f.time, f.rule, f.severity,
       ${textAt('$3', 'f.body_at', 'f.body_length')}
     from json_to_recordset($2::json) as f(chain_id text, ordinal int, set_id bigint, time numeric, rule text,
       severity text, body_at int, body_length int)`,
    [logId, JSON.stringify(rows), bodies.bytes],
  );
}

const placed = (name: string, place: Place | undefined) => ({
  [`${name}_at`]: place?.at,
  [`${name}_length`]: place?.length,
});

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
