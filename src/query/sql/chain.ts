import type { Queryable } from '#database';

export interface ChainBody {
  readonly id: string;
  readonly body: string;
}

export async function selectChainById(db: Queryable, logId: number, id: string): Promise<readonly ChainBody[]> {
  const { rows } = await db.query<ChainBody>(
    'select chain_id as id, body from behalf.chain where log_id = $1::int and chain_id = $2::text',
    [logId, id],
  );
  return rows;
}

/** The chains of the set that this observation is in, with its leaf index: a chain keeps being found by any of its observations. */
export async function selectChainsByObservation(
  db: Queryable,
  logId: number,
  observationId: string,
): Promise<readonly (ChainBody & { readonly leafIndex: string })[]> {
  const { rows } = await db.query<ChainBody & { leafIndex: string }>(
    `select c.chain_id as id, c.body, p.leaf_index::text as "leafIndex"
     from behalf.projected_entry p join behalf.chain c on c.log_id = p.log_id and c.set_id = p.set_id
     where p.log_id = $1::int and c.log_id = $1::int and p.observation_id = $2::uuid`,
    [logId, observationId],
  );
  return rows;
}

export async function selectChainsByTrace(
  db: Queryable,
  logId: number,
  traceId: string,
): Promise<readonly ChainBody[]> {
  const { rows } = await db.query<ChainBody>(
    `select chain_id as id, body from behalf.chain
     where log_id = $1::int and trace_ids @> array[$2::text] order by chain_id limit 20`,
    [logId, traceId],
  );
  return rows;
}

export async function selectChainsByTransaction(
  db: Queryable,
  logId: number,
  transaction: string,
): Promise<readonly ChainBody[]> {
  const { rows } = await db.query<ChainBody>(
    `select chain_id as id, body from behalf.chain
     where log_id = $1::int and transactions @> array[$2::text] order by chain_id limit 20`,
    [logId, transaction],
  );
  return rows;
}

/** How far the projection has followed the log, and how many entries it could not read. */
export async function selectProjected(
  db: Queryable,
  logId: number,
): Promise<{ readonly position: string; readonly unread: string }> {
  const { rows } = await db.query<{ position: string; unread: string }>(
    `select coalesce((select position from behalf.projection where log_id = $1::int), 0)::text as position,
            (select count(*) from behalf.unread_entry where log_id = $1::int)::text as unread`,
    [logId],
  );
  return rows[0] ?? { position: '0', unread: '0' };
}
