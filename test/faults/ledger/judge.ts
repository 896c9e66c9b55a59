import type { Database } from '#database';
import { fsck } from '#ledger';

export interface Judgement {
  readonly entries: number;
  /** Acknowledged, and not stored at the index that was told. */
  readonly lost: number;
  /** Stored more than once. */
  readonly duplicated: number;
  /** What fsck found, if anything. */
  readonly difference?: string;
}

/** What the database holds against what was acknowledged before this is called; the load may go on meanwhile. */
export async function judge(
  database: Database,
  logId: number,
  acknowledged: ReadonlyMap<string, number>,
): Promise<Judgement> {
  const before = [...acknowledged];
  const report = await fsck({ database, logId });
  const { rows } = await database
    .pool('owner')
    .query<{ at: string; id: string }>(
      `select leaf_index as at, convert_from(bytes, 'utf8')::json ->> 'id' as id from behalf.entry where log_id = $1`,
      [logId],
    );
  const stored = new Map(rows.map(({ at, id }) => [Number(at), id]));
  return {
    entries: rows.length,
    lost: before.filter(([id, index]) => stored.get(index) !== id).length,
    duplicated: rows.length - new Set(rows.map(({ id }) => id)).size,
    ...(report.firstDifference === undefined ? {} : { difference: report.firstDifference.says }),
  };
}
