import type { Queryable } from '#database';
import type { Assignment, KeyState, SetState } from '../assign.ts';

/** The sets that these keys (hex) belong to, and how often each key occurred. */
export async function selectKeys(
  db: Queryable,
  logId: number,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KeyState>> {
  const { rows } = await db.query<{ key: Buffer; set_id: string; uses: string }>(
    'select key, set_id, uses from behalf.entry_key where log_id = $1::int and key = any($2::bytea[])',
    [logId, keys.map((key) => Buffer.from(key, 'hex'))],
  );
  return new Map(
    rows.map((row) => [row.key.toString('hex'), { set: BigInt(row.set_id), uses: BigInt(row.uses) }] as const),
  );
}

export async function selectSets(
  db: Queryable,
  logId: number,
  sets: readonly bigint[],
): Promise<ReadonlyMap<bigint, SetState>> {
  const { rows } = await db.query<{ set_id: string; entries: number; bounded: boolean }>(
    'select set_id, entries, bounded from behalf.entry_set where log_id = $1::int and set_id = any($2::bigint[])',
    [logId, sets],
  );
  return new Map(rows.map(({ set_id, entries, bounded }) => [BigInt(set_id), { entries, bounded }] as const));
}

/** Adds entries to their sets; an observation id seen before is left out and not returned. */
export async function insertProjectedEntries(
  db: Queryable,
  logId: number,
  entries: readonly { readonly leafIndex: bigint; readonly observationId: string; readonly set: bigint }[],
): Promise<void> {
  await db.query(
    `insert into behalf.projected_entry (log_id, leaf_index, observation_id, set_id)
     select $1::int, e.leaf_index, e.observation_id, e.set_id
     from unnest($2::bigint[], $3::uuid[], $4::bigint[]) as e(leaf_index, observation_id, set_id)`,
    [logId, entries.map((e) => e.leafIndex), entries.map((e) => e.observationId), entries.map((e) => e.set)],
  );
}

/** Which of these observation ids were projected already. */
export async function selectProjectedIds(
  db: Queryable,
  logId: number,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ observation_id: string }>(
    'select observation_id from behalf.projected_entry where log_id = $1::int and observation_id = any($2::uuid[])',
    [logId, ids],
  );
  return new Set(rows.map((row) => row.observation_id));
}

/** Moves what belonged to sets merged away, then writes every key and set of a batch. */
export async function writeAssignment(db: Queryable, logId: number, { keys, sets, merged }: Assignment): Promise<void> {
  const moves = [[...merged.keys()], [...merged.values()]];
  if (merged.size > 0) {
    for (const table of ['projected_entry', 'entry_key']) {
      await db.query(
        `update behalf.${table} as t set set_id = m.target
         from unnest($2::bigint[], $3::bigint[]) as m(source, target)
         where t.log_id = $1::int and t.set_id = m.source`,
        [logId, ...moves],
      );
    }
    await db.query('delete from behalf.entry_set where log_id = $1::int and set_id = any($2::bigint[])', [
      logId,
      moves[0],
    ]);
  }
  await db.query(
    `insert into behalf.entry_key (log_id, key, set_id, uses)
     select $1::int, k.key, k.set_id, k.uses from unnest($2::bytea[], $3::bigint[], $4::bigint[]) as k(key, set_id, uses)
     on conflict (log_id, key) do update set set_id = excluded.set_id, uses = excluded.uses`,
    [
      logId,
      [...keys.keys()].map((key) => Buffer.from(key, 'hex')),
      [...keys.values()].map((key) => key.set),
      [...keys.values()].map((key) => key.uses),
    ],
  );
  await db.query(
    `insert into behalf.entry_set (log_id, set_id, entries, bounded)
     select $1::int, s.set_id, s.entries, s.bounded from unnest($2::bigint[], $3::int[], $4::bool[]) as s(set_id, entries, bounded)
     on conflict (log_id, set_id) do update set entries = excluded.entries, bounded = excluded.bounded`,
    [
      logId,
      [...sets.keys()],
      [...sets.values()].map((set) => set.entries),
      [...sets.values()].map((set) => set.bounded),
    ],
  );
}
