import type { Database } from '#database';
import { type Entry, encodeEntry } from '#observation';
import { type Batch, takeIn } from '../../src/projection/step.ts';

export const LOG = 1;

/** Puts entries into the ledger's table as they are, after those already there; the tree over them is not this test's matter. */
export async function record(database: Database, entries: readonly Entry[], logId = LOG): Promise<Batch> {
  const owner = database.pool('owner');
  const { rows } = await owner.query<{ size: string }>(
    'select count(*) as size from behalf.entry where log_id = $1::int',
    [logId],
  );
  const first = BigInt(rows[0]?.size ?? 0);
  const batch = entries.map((entry, i) => ({ leafIndex: first + BigInt(i), bytes: encodeEntry(entry) }));
  await owner.query(
    `insert into behalf.entry_bundle (log_id, first_index, ends, leaves, bytes)
     select $1::int, e.leaf_index, array[octet_length(e.bytes)], sha256('\\x00'::bytea || e.bytes), e.bytes from unnest($2::bigint[], $3::bytea[]) as e(leaf_index, bytes)`,
    [logId, batch.map((each) => each.leafIndex), batch.map((each) => each.bytes)],
  );
  return batch;
}

/** Takes a batch in, so many entries at a time. */
export async function project(database: Database, batch: Batch, at = 1000, logId = LOG): Promise<void> {
  for (let from = 0; from < batch.length; from += at) await takeIn(database, logId, batch.slice(from, from + at));
}

const TABLES = [
  'projection',
  'projected_entry',
  'entry_set',
  'entry_key',
  'unread_entry',
  'chain',
  'hop',
  'finding',
  'party',
  'party_fact',
  'shared_credential',
];

/** Every row of every table of the projection, in order of its key, as text. */
export async function dump(database: Database, logId = LOG): Promise<Record<string, readonly string[]>> {
  const tables = TABLES.map(async (table) => {
    const { rows } = await database
      .pool('reader')
      .query<{ row: string }>(`select t::text as row from behalf.${table} t where log_id = $1::int order by 1`, [
        logId,
      ]);
    return [table, rows.map(({ row }) => row)] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

/** The chains as stored, by id. */
export async function storedChains(database: Database, logId = LOG): Promise<readonly unknown[]> {
  const { rows } = await database
    .pool('reader')
    .query<{ body: string }>('select body from behalf.chain where log_id = $1::int order by chain_id', [logId]);
  return rows.map(({ body }) => JSON.parse(body));
}
