import type { Queryable } from '#database';

export interface SetMember {
  readonly leafIndex: bigint;
  readonly bytes: Uint8Array;
  readonly bounded: boolean; // of the set it is in now
}

/** Every entry below a leaf index of the sets that these chains are in now, in order of the log. */
export async function selectMembersBefore(
  db: Queryable,
  logId: number,
  chainIds: readonly string[],
  size: bigint,
): Promise<readonly SetMember[]> {
  const { rows } = await db.query<{ leaf_index: string; bytes: Buffer; bounded: boolean }>(
    `with chosen as (select distinct set_id from behalf.chain where log_id = $1::int and chain_id = any($2::text[]))
     select p.leaf_index, e.bytes, s.bounded
     from chosen c
     join behalf.projected_entry p on p.log_id = $1::int and p.set_id = c.set_id
     join behalf.entry_set s on s.log_id = $1::int and s.set_id = c.set_id
     join behalf.entry e on e.log_id = $1::int and e.leaf_index = p.leaf_index
     where p.leaf_index < $3::bigint
     order by p.leaf_index`,
    [logId, chainIds, size],
  );
  return rows.map(({ leaf_index, bytes, bounded }) => ({ leafIndex: BigInt(leaf_index), bytes, bounded }));
}
