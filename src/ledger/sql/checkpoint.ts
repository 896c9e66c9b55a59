import type { Queryable } from '#database';
import type { TreeHead } from './log.ts';

export interface CheckpointRow extends TreeHead {
  readonly note: string;
}

const rowsOf = (rows: readonly { size: string; root: Buffer; note: string }[]): CheckpointRow[] =>
  rows.map((row) => ({ ...row, size: BigInt(row.size) }));

/** Waits until no other server signs this log; held until the transaction ends. The signer's own check is what secures. */
export async function lockSigning(db: Queryable, logId: number): Promise<void> {
  await db.query(`select pg_advisory_xact_lock(hashtextextended('behalf.sign', $1::int))`, [logId]);
}

/** Stores a checkpoint; one of the same size that is there stays. */
export async function insertCheckpoint(
  db: Queryable,
  logId: number,
  { size, root, note }: CheckpointRow,
): Promise<void> {
  await db.query(
    `insert into behalf.checkpoint (log_id, size, root, note)
     values ($1::int, $2::bigint, $3::bytea, $4::text) on conflict (log_id, size) do nothing`,
    [logId, size, root, note],
  );
}

/** Puts signature lines to the end of a stored note; true when the note was the one given. */
export async function addCosignatures(
  db: Queryable,
  logId: number,
  checkpoint: { readonly size: bigint; readonly note: string; readonly lines: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update behalf.checkpoint set note = note || $4::text
     where log_id = $1::int and size = $2::bigint and note = $3::text`,
    [logId, checkpoint.size, checkpoint.note, checkpoint.lines],
  );
  return rowCount === 1;
}

export async function selectCheckpoint(db: Queryable, logId: number, size: bigint): Promise<CheckpointRow | undefined> {
  const { rows } = await db.query<{ size: string; root: Buffer; note: string }>(
    'select size, root, note from behalf.checkpoint where log_id = $1::int and size = $2::bigint',
    [logId, size],
  );
  return rowsOf(rows)[0];
}

/** The largest one. */
export async function selectLastCheckpoint(db: Queryable, logId: number): Promise<CheckpointRow | undefined> {
  const { rows } = await db.query<{ size: string; root: Buffer; note: string }>(
    'select size, root, note from behalf.checkpoint where log_id = $1::int order by size desc limit 1',
    [logId],
  );
  return rowsOf(rows)[0];
}

/** Checkpoints with from <= size <= to, smallest first. */
export async function selectCheckpoints(
  db: Queryable,
  logId: number,
  { from, to }: { readonly from: bigint; readonly to: bigint },
): Promise<CheckpointRow[]> {
  const { rows } = await db.query<{ size: string; root: Buffer; note: string }>(
    `select size, root, note from behalf.checkpoint
     where log_id = $1::int and size between $2::bigint and $3::bigint order by size`,
    [logId, from, to],
  );
  return rowsOf(rows);
}

/** Whether a checkpoint was published with from <= size < to. */
export async function hasCheckpoint(
  db: Queryable,
  logId: number,
  { from, to }: { readonly from: bigint; readonly to: bigint },
): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>(
    `select exists(select from behalf.checkpoint
     where log_id = $1::int and size >= $2::bigint and size < $3::bigint) as there`,
    [logId, from, to],
  );
  return rows[0]?.there === true;
}
