import type { Queryable } from '#database';

/** The keys of every party, of any type and issuer, that has exactly this id. Persons are not found by id. */
export async function selectPartyKeysById(db: Queryable, logId: number, id: string): Promise<readonly string[]> {
  const { rows } = await db.query<{ party_key: string }>(
    'select party_key from behalf.party where log_id = $1::int and id = $2::text order by party_key limit 1000',
    [logId, id],
  );
  return rows.map((row) => row.party_key);
}
