import type pg from 'pg';
import { type Queryable, queryTellingSent } from '#database';
import { binaryArray } from '../binary-array.ts';
import type { TileRow } from '../edge.ts';
import type { TreeHead } from './log.ts';

/** What one batch adds: from one state of the log to the next. */
export interface BatchRows {
  readonly from: TreeHead;
  readonly to: TreeHead;
  readonly runs: RunRows;
  readonly ids: IdRows;
  /** Levels above 0 only. */
  readonly tiles: readonly TileRow[];
}
/** Runs of entries, cut at multiples of 256: `counts[i]` entries and `lengths[i]` bytes each, one after the other. */
export interface RunRows {
  readonly firstIndexes: readonly number[];
  readonly counts: readonly number[];
  readonly lengths: readonly number[];
  /** Where each entry ends, from the start of its run. */
  readonly ends: readonly number[];
  readonly leaves: Buffer;
  readonly bytes: Buffer;
}
/** Ids by bucket: `counts[i]` of them each, in order of the log, at `firstIndexes[i] + offsets`. */
export interface IdRows {
  readonly buckets: readonly number[];
  readonly firstIndexes: readonly number[];
  readonly counts: readonly number[];
  readonly offsets: readonly number[];
  readonly ids: Buffer;
}

/** The statement's name on its connection, where it is prepared once. */
export const APPEND = 'behalf_append';

/**
 * Everything of a batch, in one statement and so in one transaction. `moved` is the fence: the compare-and-swap of (size,
 * root) by the log's row. A writer with an old view moves nothing, and then nothing is inserted; one that comes while
 * another commits waits for the row and sees it moved.
 */
const TEXT = `
with moved as (
  update behalf.log set size = $4::bigint, root = $5::bytea,
    id_day = greatest(id_day, (extract(epoch from now())::bigint / 86400)::int)
  where log_id = $1::int and size = $2::bigint and root = $3::bytea
  returning id_day
), runs as (
  insert into behalf.entry_bundle (log_id, first_index, ends, leaves, bytes)
  select $1::int, r.first_index, ($9::int[])[r.at + 1 : r.at + r.count],
         substring($10::bytea from 32 * r.at + 1 for 32 * r.count), substring($11::bytea from r.byte_at + 1 for r.length)
  from moved, (
    select r.first_index, r.count, r.length,
           (sum(r.count) over (order by r.nr) - r.count)::int as at, (sum(r.length) over (order by r.nr) - r.length)::int as byte_at
    from unnest($6::bigint[], $7::int[], $8::int[]) with ordinality as r(first_index, count, length, nr)
  ) r
), ids as (
  insert into behalf.id_bucket (log_id, day, bucket, first_index, offsets, ids)
  select $1::int, moved.id_day, b.bucket, b.first_index,
         case when ($15::int[])[b.at + b.count] > b.count - 1 then ($15::int[])[b.at + 1 : b.at + b.count] end,
         substring($16::bytea from 16 * b.at + 1 for 16 * b.count)
  from moved, (
    select b.bucket, b.first_index, b.count, (sum(b.count) over (order by b.nr) - b.count)::int as at
    from unnest($12::bigint[], $13::bigint[], $14::int[]) with ordinality as b(bucket, first_index, count, nr)
  ) b
), tiles as (
  insert into behalf.tile (log_id, level, tile_index, hashes)
  select $1::int, t.level, t.tile_index, substring($20::bytea from 32 * t.at + 1 for 32 * t.width)
  from moved, (
    select t.level, t.tile_index, t.width, (sum(t.width) over (order by t.nr) - t.width)::int as at
    from unnest($17::smallint[], $18::bigint[], $19::int[]) with ordinality as t(level, tile_index, width, nr)
  ) t
  on conflict (log_id, level, tile_index) do update set hashes = excluded.hashes
)
select from moved`;

/** Stores a batch if the log still stands at `from`; false, and nothing stored, when another writer moved it. */
export async function appendBatch(db: Queryable, logId: number, batch: BatchRows): Promise<boolean> {
  const { rowCount } = await db.query(statement(logId, batch));
  return rowCount === 1;
}

/** `appendBatch`, which also tells when the batch's bytes are on their way. */
export async function appendBatchTellingSent(
  pool: pg.Pool,
  logId: number,
  batch: BatchRows,
  onSent: () => void,
): Promise<boolean> {
  const { rowCount } = await queryTellingSent(pool, statement(logId, batch), onSent);
  return rowCount === 1;
}

function statement(logId: number, { from, to, runs, ids, tiles }: BatchRows): pg.QueryConfig {
  return {
    name: APPEND,
    text: TEXT,
    values: [
      logId,
      from.size,
      from.root,
      to.size,
      to.root,
      binaryArray('int8', runs.firstIndexes),
      binaryArray('int4', runs.counts),
      binaryArray('int4', runs.lengths),
      binaryArray('int4', runs.ends),
      runs.leaves,
      runs.bytes,
      binaryArray('int8', ids.buckets),
      binaryArray('int8', ids.firstIndexes),
      binaryArray('int4', ids.counts),
      binaryArray('int4', ids.offsets),
      ids.ids,
      ...tileValues(tiles),
    ],
  };
}

const tileValues = (tiles: readonly TileRow[]): Buffer[] => [
  binaryArray(
    'int2',
    tiles.map((tile) => tile.level),
  ),
  binaryArray(
    'int8',
    tiles.map((tile) => Number(tile.index)),
  ),
  binaryArray(
    'int4',
    tiles.map((tile) => tile.hashes.length / 32),
  ),
  Buffer.concat(tiles.map((tile) => tile.hashes)),
];

/** Makes sure partitions exist up to this index, which may be at most 2^24 beyond the log's size. */
export async function extendEntries(db: Queryable, logId: number, upTo: bigint): Promise<void> {
  await db.query('select behalf.extend_entry_bundle($1::int, $2::bigint)', [logId, upTo]);
}

/** Makes sure that ids can be remembered today and tomorrow, by the database's clock. */
export async function extendIds(db: Queryable, logId: number): Promise<void> {
  await db.query('select behalf.extend_id_bucket($1::int)', [logId]);
}

/** Forgets the ids of days that ended more than `hours` (24..8784) ago; false when others read them: ask again later. */
export async function forgetIds(db: Queryable, hours: number): Promise<boolean> {
  const { rows } = await db.query<{ done: boolean }>('select behalf.forget_id_bucket($1::int) as done', [hours]);
  return rows[0]?.done === true;
}
