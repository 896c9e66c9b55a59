import type { Queryable } from '#database';

/** The projection's tables, with the columns that name a row; `chain_id` and `hop_id` are what the API shows. */
const TABLES = [
  { table: 'projected_entry', key: 'leaf_index::text', leaf: 'leaf_index' },
  { table: 'unread_entry', key: 'leaf_index::text', leaf: 'leaf_index' },
  { table: 'chain', key: 'chain_id', leaf: 'set_id' },
  { table: 'hop', key: 'hop_id::text', leaf: 'set_id' },
  { table: 'finding', key: "chain_id || ' ' || ordinal", leaf: 'set_id' },
  {
    table: 'shared_credential',
    key: "digest || ' ' || party_key || ' ' || workload",
    leaf: 'set_id',
  },
  { table: 'entry_set', key: 'set_id::text', leaf: 'set_id' },
  { table: 'entry_key', key: "encode(key, 'hex')", leaf: 'set_id' },
  { table: 'party', key: 'party_key', leaf: 'null::bigint' },
  { table: 'party_fact', key: "party_key || ' ' || kind || ' ' || value", leaf: 'first_leaf' },
] as const;

export interface DifferingRow {
  readonly table: string;
  readonly key: string;
  readonly kind: 'missing' | 'surplus' | 'changed';
  readonly leafIndex: bigint | undefined; // the first of the entries the row rests on
}

/** Keeps a log's rows aside, for this transaction only. */
export async function keepRows(db: Queryable, logId: number): Promise<void> {
  for (const { table } of TABLES) {
    await db.query(`create temp table kept_${table} on commit drop as
      select * from behalf.${table} where log_id = ${Number(logId)}`);
  }
}

/** The first row that differs between what was kept and what is there now, and in how many rows tables differ. */
export async function compareRows(
  db: Queryable,
  logId: number,
): Promise<{ readonly rows: bigint; readonly first: DifferingRow | undefined }> {
  let rows = 0n;
  let first: DifferingRow | undefined;
  for (const table of TABLES) {
    rows += await countRows(db, logId, table.table);
    first ??= await firstDifferingRow(db, logId, table);
  }
  return { rows, first };
}

async function countRows(db: Queryable, logId: number, table: string): Promise<bigint> {
  const { rows } = await db.query<{ count: string }>(
    `select count(*) as count from behalf.${table} where log_id = $1::int`,
    [logId],
  );
  return BigInt(rows[0]?.count ?? 0);
}

async function firstDifferingRow(
  db: Queryable,
  logId: number,
  { table, key, leaf }: (typeof TABLES)[number],
): Promise<DifferingRow | undefined> {
  const { rows } = await db.query<{ key: string; leaf: string | null; was: boolean; is: boolean }>(
    `with was as (select ${key} as key, ${leaf} as leaf, k::text as row from kept_${table} k),
          now as (select ${key} as key, ${leaf} as leaf, n::text as row from behalf.${table} n where log_id = $1::int)
     select coalesce(now.key, was.key) as key, coalesce(now.leaf, was.leaf) as leaf,
            was.key is not null as was, now.key is not null as is
     from was full join now on was.key = now.key and was.leaf is not distinct from now.leaf
     where was.row is distinct from now.row order by 2, 1 limit 1`,
    [logId],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const kind = !row.was ? 'missing' : row.is ? 'changed' : 'surplus';
  return { table, key: row.key, kind, leafIndex: row.leaf === null ? undefined : BigInt(row.leaf) };
}
