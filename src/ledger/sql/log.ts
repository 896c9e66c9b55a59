import type { Queryable } from '#database';

/** How far a log is: both move together. */
export interface TreeHead {
  readonly size: bigint;
  readonly root: Uint8Array;
}

/** What a log is opened with and keeps. */
export interface LogIdentity {
  readonly origin: string;
  readonly verifierKey: string;
  readonly personsCheck: Uint8Array; // 32 bytes
}

export type LogRow = LogIdentity & TreeHead;

export async function selectLog(db: Queryable, logId: number): Promise<LogRow | undefined> {
  const { rows } = await db.query<Omit<LogRow, 'size'> & { readonly size: string }>(
    `select origin, verifier_key as "verifierKey", persons_check as "personsCheck", size, root
     from behalf.log where log_id = $1::int`,
    [logId],
  );
  return rows[0] && { ...rows[0], size: BigInt(rows[0].size) };
}

/** Opens a log once; one that is there stays as it is. */
export async function insertLog(
  owner: Queryable,
  logId: number,
  log: LogIdentity & { readonly root: Uint8Array },
): Promise<void> {
  await owner.query(
    `insert into behalf.log (log_id, origin, verifier_key, persons_check, root)
     values ($1::int, $2::text, $3::text, $4::bytea, $5::bytea) on conflict (log_id) do nothing`,
    [logId, log.origin, log.verifierKey, log.personsCheck, log.root],
  );
}
