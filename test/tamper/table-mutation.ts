import type { Make, Mutation } from './mutation.ts';

const TABLES = ['tile', 'checkpoint', 'log', 'id_bucket', 'chain', 'hop', 'projected_entry'] as const;
type Table = (typeof TABLES)[number];

/** What has to be run once before any of these: copies to mend from. */
export const KEEP_ASIDE = TABLES.map(
  (table) => `create table public.kept_${table} as select * from behalf.${table} where log_id = 1`,
).join(';\n');

/** One statement on one table, mended by putting the whole table back. */
const on = (
  table: Table,
  says: string,
  {
    sql,
    found,
    isServed = false,
  }: { readonly sql: string; readonly found: Mutation['found']; readonly isServed?: boolean },
): Mutation => ({
  says,
  found,
  isServed,
  async apply(owner) {
    const { rowCount } = await owner.query(sql);
    if (rowCount !== 1) throw new Error(`${says}: expected one row, got ${rowCount}`);
  },
  async mend(owner) {
    await owner.query(`delete from behalf.${table} where log_id = 1`);
    await owner.query(`insert into behalf.${table} select * from public.kept_${table}`);
  },
});

const flip = (column: string, byte: number): string =>
  `${column} = set_byte(${column}, ${byte}, get_byte(${column}, ${byte}) # 4)`;

const tileHash: Make = (log, random) => {
  const i = random(log.inFullTiles / 256);
  const sql = `update behalf.tile set ${flip('hashes', 32 * i + random(32))} where log_id = 1 and level = 1 and tile_index = 0`;
  const found = { by: 'fsck', kind: 'tile', leafIndex: BigInt(256 * i) } as const;
  return on('tile', `hash ${i} of the tile above changed`, { sql, found, isServed: true });
};

const tileGone: Make = () => {
  const sql = 'delete from behalf.tile where log_id = 1 and level = 1 and tile_index = 0';
  const found = { by: 'fsck', kind: 'tile', leafIndex: 0n } as const;
  return on('tile', 'the tile above deleted', { sql, found, isServed: true });
};

const CHECKPOINT = { by: 'fsck', kind: 'checkpoint', leafIndex: undefined } as const;
const theCheckpoint = (random: (below: number) => number): string =>
  `log_id = 1 and size = (select size from behalf.checkpoint where log_id = 1 order by size offset ${random(1000)} % (select count(*) from behalf.checkpoint where log_id = 1) limit 1)`;

const checkpointRoot: Make = (_, random) =>
  on('checkpoint', "a checkpoint's root changed", {
    sql: `update behalf.checkpoint set ${flip('root', random(32))} where ${theCheckpoint(random)}`,
    found: CHECKPOINT,
  });

const checkpointNote: Make = (_, random) => {
  const place = random(200);
  const at = `1 + ${place} % length(note)`;
  return on('checkpoint', `character ${place} of a checkpoint's note changed`, {
    sql: `update behalf.checkpoint set note = overlay(note placing case when substr(note, ${at}, 1) = 'x' then 'y' else 'x' end from ${at} for 1) where ${theCheckpoint(random)}`,
    found: CHECKPOINT,
  });
};

const logRoot: Make = (_, random) =>
  on('log', "the log's root changed", {
    sql: `update behalf.log set ${flip('root', random(32))} where log_id = 1`,
    found: { by: 'fsck', kind: 'root', leafIndex: undefined },
  });

const logLonger: Make = (log, random) => {
  const more = 1 + random(255 - (log.size % 256)); // within the last tile: past it, the tile above would be told
  return on('log', `the log said to be ${more} entries longer`, {
    sql: `update behalf.log set size = size + ${more} where log_id = 1`,
    found: { by: 'fsck', kind: 'entry', leafIndex: BigInt(log.size) },
  });
};

const id: Make = (log, random) => {
  const at = random(log.size);
  const place = `16 * (select n - 1 from generate_series(1, octet_length(ids) / 16) n where first_index + coalesce(offsets[n], n - 1) = ${at})`;
  return on('id_bucket', `the observation id of entry ${at} remembered otherwise`, {
    sql: `update behalf.id_bucket set ids = set_byte(ids, ${place} + 15, get_byte(ids, ${place} + 15) # 4)
          where log_id = 1 and exists (select from generate_series(1, octet_length(ids) / 16) n where first_index + coalesce(offsets[n], n - 1) = ${at})`,
    found: { by: 'fsck', kind: 'sequenced_id', leafIndex: BigInt(at) },
  });
};

/** Set n holds entry n alone here: each was reported with no trace. */
const SHOWN: readonly (readonly [table: Table, says: string, sql: string])[] = [
  ['chain', 'hidden', 'delete from behalf.chain'],
  ['hop', 'hidden', 'delete from behalf.hop'],
  ['projected_entry', 'taken out of its set', 'delete from behalf.projected_entry'],
  ['chain', "shown as another's", "update behalf.chain set subject_key = 'p_0'"],
  ['chain', 'of another verdict', "update behalf.chain set verdict = verdict || '!'"],
  ['chain', 'of another time', 'update behalf.chain set from_time = from_time + 1'],
  ['hop', 'of another callee', "update behalf.hop set to_service = 'cooks'"],
  ['hop', 'of another body', "update behalf.hop set body = replace(body, 'books', 'cooks')"],
];

const shown: Make = (log, random) => {
  const at = random(log.size);
  const [table, says, sql] = SHOWN[random(SHOWN.length)] ?? (SHOWN[0] as (typeof SHOWN)[number]);
  return on(table, `a ${table} shown to queries, of entry ${at}: ${says}`, {
    sql: `${sql} where log_id = 1 and set_id = ${at}`,
    found: { by: 'projection', kind: table, leafIndex: BigInt(at) },
  });
};

export const LOG_MUTATIONS: readonly Make[] = [
  tileHash,
  tileGone,
  checkpointRoot,
  checkpointNote,
  logRoot,
  logLonger,
  id,
];
export const SHOWN_MUTATION = shown;
