import type { Queryable } from '#database';
import type { PartyFactRow } from '../party-fact.ts';

/** Adds what a batch says: smallest and largest do not depend on how the log is cut into batches. */
export async function upsertPartyFacts(db: Queryable, logId: number, facts: readonly PartyFactRow[]): Promise<void> {
  await db.query(
    `insert into behalf.party_fact (log_id, party_key, kind, value, first_leaf, first_seen, last_seen)
     select $1::int, f.party_key, f.kind, f.value, f.first_leaf, f.first_seen, f.last_seen
     from json_to_recordset($2::json) as f(party_key text, kind text, value text, first_leaf bigint, first_seen numeric,
       last_seen numeric)
     order by f.party_key, f.kind, f.value
     on conflict (log_id, party_key, kind, value) do update set
       first_leaf = least(party_fact.first_leaf, excluded.first_leaf),
       first_seen = least(party_fact.first_seen, excluded.first_seen),
       last_seen = greatest(party_fact.last_seen, excluded.last_seen)`,
    [logId, JSON.stringify(facts)],
  );
}
