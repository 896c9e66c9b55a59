import type { Queryable } from '#database';

export interface PersonRow {
  readonly lookup: Buffer;
  readonly ref: string;
  readonly wrappedKey: Buffer;
}

/** Adds persons not there yet; someone else's row for the same person stays. */
export async function insertPersons(db: Queryable, logId: number, persons: readonly PersonRow[]): Promise<void> {
  await db.query(
    `insert into behalf.person (log_id, lookup, ref, wrapped_key)
     select $1::int, p.lookup, p.ref, p.wrapped_key
     from unnest($2::bytea[], $3::text[], $4::bytea[]) as p(lookup, ref, wrapped_key)
     order by p.lookup
     on conflict (log_id, lookup) do nothing`,
    [logId, persons.map((p) => p.lookup), persons.map((p) => p.ref), persons.map((p) => p.wrappedKey)],
  );
}

export async function selectPersons(db: Queryable, logId: number, lookups: readonly Buffer[]): Promise<PersonRow[]> {
  const { rows } = await db.query<PersonRow>(
    `select lookup, ref, wrapped_key as "wrappedKey" from behalf.person where log_id = $1::int and lookup = any($2::bytea[])`,
    [logId, lookups],
  );
  return rows;
}

export async function selectPersonsByRef(db: Queryable, logId: number, refs: readonly string[]): Promise<PersonRow[]> {
  const { rows } = await db.query<PersonRow>(
    `select lookup, ref, wrapped_key as "wrappedKey" from behalf.person where log_id = $1::int and ref = any($2::text[])`,
    [logId, refs],
  );
  return rows;
}
