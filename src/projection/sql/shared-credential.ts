import type { Queryable } from '#database';
import type { SharedCredentialRow } from '../shared-credential.ts';

export async function insertSharedCredentials(
  db: Queryable,
  logId: number,
  shared: readonly SharedCredentialRow[],
): Promise<void> {
  if (shared.length === 0) return;
  await db.query(
    `insert into behalf.shared_credential (log_id, set_id, digest, party_key, workload, last_seen)
     select $1::int, s.set_id, s.digest, s.party_key, s.workload, s.last_seen
     from json_to_recordset($2::json) as s(set_id bigint, digest text, party_key text, workload text, last_seen numeric)`,
    [logId, JSON.stringify(shared)],
  );
}
