import type { ClientBase } from 'pg';
import type { Queryable } from '#database';
import { BinaryRows, copyIn } from '../copy-in.ts';
import type { TileRow } from '../edge.ts';

/** Which of these observation ids are sequenced already, and where. */
export async function selectSequenced(
  db: Queryable,
  logId: number,
  ids: readonly string[],
): Promise<Map<string, bigint>> {
  const { rows } = await db.query<{ id: string; at: string }>(
    `select observation_id as id, leaf_index as at
     from behalf.sequenced_id where log_id = $1::int and observation_id = any($2::uuid[])`,
    [logId, ids],
  );
  return new Map(rows.map((row) => [row.id, BigInt(row.at)]));
}

/** Entries get the indexes from `first` on, in order. */
export async function copyEntries(
  client: ClientBase,
  logId: number,
  first: bigint,
  entries: readonly Uint8Array[],
): Promise<void> {
  const dataBytes = entries.reduce((sum, bytes) => sum + 12 + bytes.length, 0);
  const rows = new BinaryRows({ rows: entries.length, fields: 3, dataBytes });
  for (const [i, bytes] of entries.entries()) {
    rows
      .row()
      .int4(logId)
      .int8(first + BigInt(i))
      .bytes(bytes);
  }
  await copyIn(client, 'copy behalf.entry (log_id, leaf_index, bytes) from stdin (format binary)', rows);
}

/** Remembers the ids of the entries from `first` on, in order, under the database's day. */
export async function copySequenced(
  client: ClientBase,
  logId: number,
  first: bigint,
  ids: readonly string[],
): Promise<void> {
  const rows = new BinaryRows({ rows: ids.length, fields: 3, dataBytes: 28 * ids.length });
  for (const [i, id] of ids.entries()) {
    rows
      .row()
      .int4(logId)
      .int8(first + BigInt(i))
      .bytes(Buffer.from(id.replaceAll('-', ''), 'hex'));
  }
  await copyIn(
    client,
    'copy behalf.sequenced_id (log_id, leaf_index, observation_id) from stdin (format binary)',
    rows,
  );
}

/** All tiles' hashes go as one value, which pg sends as bytes; an array of them it would spell out in hex. */
export async function upsertTiles(db: Queryable, logId: number, tiles: readonly TileRow[]): Promise<void> {
  await db.query(
    `insert into behalf.tile (log_id, level, tile_index, hashes)
     select $1::int, t.level, t.tile_index,
            substring($4::bytea from (1 + sum(t.length) over (order by t.at) - t.length)::int for t.length)
     from unnest($2::smallint[], $3::bigint[], $5::int[]) with ordinality as t(level, tile_index, length, at)
     on conflict (log_id, level, tile_index) do update set hashes = excluded.hashes`,
    [
      logId,
      tiles.map((tile) => tile.level),
      tiles.map((tile) => tile.index),
      Buffer.concat(tiles.map((tile) => tile.hashes)),
      tiles.map((tile) => tile.hashes.length),
    ],
  );
}

/** Makes sure partitions exist up to this index, which may be at most 2^24 beyond the log's size. */
export async function extendEntry(db: Queryable, logId: number, upTo: bigint): Promise<void> {
  await db.query('select behalf.extend_entry($1::int, $2::bigint)', [logId, upTo]);
}

/** Makes sure that ids can be remembered today and tomorrow, by the database's clock. */
export async function extendSequenced(db: Queryable): Promise<void> {
  await db.query('select behalf.extend_sequenced_id()');
}

/** Forgets the ids of days that ended more than `hours` (24..8784) ago; false when others read them: ask again later. */
export async function forgetSequenced(db: Queryable, hours: number): Promise<boolean> {
  const { rows } = await db.query<{ done: boolean }>('select behalf.forget_sequenced_id($1::int) as done', [hours]);
  return rows[0]?.done === true;
}
