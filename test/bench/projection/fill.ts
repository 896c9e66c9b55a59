import { stitch } from '#chains';
import { type Database, transaction } from '#database';
import { chainRow, hopRows } from '../../../src/projection/row.ts';
import { insertStitched } from '../../../src/projection/sql/chain.ts';
import { delegatedCall, Entries } from '../../chains/entries.ts';

export const LOG = 1;
/** The newest time of what is filled in, in unix nanoseconds. */
export const END = 1_793_439_700_000_000_000n;
export const HOPS_PER_CHAIN = 5;
export const ENTRIES_PER_CHAIN = 11;
const CHAINS_AT_ONCE = 20_000;

/** Stands in every id of the pattern; replaced by the number of the chain, as MARK_LEAF is in every leaf index. */
const MARK = 'f00dfeed';
const MARK_LEAF = '7777777';
const PATTERN_SET = BigInt(MARK_LEAF) * 100n;

/** The id of an observation in the n-th chain filled in; `entry` is 0 to 10. */
export const observationOf = (chain: number, entry: number): string =>
  `${chain.toString(16).padStart(8, '0')}-0000-7000-8000-${entry.toString(16).padStart(12, '0')}`;

/**
 * Fills the projection's tables with chains numbered from 1 on until they hold so many hops: one chain of five hops and
 * eleven entries, stitched and written by the projection's own code, copied in SQL with ids, leaf indexes, parties, services
 * and times of its own; one chain a second, the first is the newest. Hop bodies are those the reach needs, and shorter.
 */
export async function fill(database: Database, hops: number): Promise<void> {
  await insertPattern(database);
  const [from, to] = [1, hops / HOPS_PER_CHAIN];
  const lane = async (copies: readonly { readonly sql: string; readonly values: readonly string[] }[]) => {
    for (let at = from; at <= to; at += CHAINS_AT_ONCE) {
      const range = [at, Math.min(at + CHAINS_AT_ONCE - 1, to)];
      await transaction(database.pool('owner'), async (client) => {
        await client.query('set local synchronous_commit = off');
        for (const { sql, values } of copies) await client.query(sql, [...range, ...values]);
      });
    }
  };
  await Promise.all([
    lane([{ sql: COPY_CHAINS, values: [String(END), String(PATTERN_SET)] }]),
    lane([
      { sql: COPY_HOPS, values: [String(END)] },
      { sql: COPY_ENTRIES, values: [] },
    ]),
  ]);
}

/** Whether the last chain of so many hops is there: it is filled in last. */
export async function holds(database: Database, hops: number): Promise<boolean> {
  const set = (hops / HOPS_PER_CHAIN) * 100;
  const { rows } = await database.pool('reader').query<{ count: string }>(
    `select count(*) from (select 1 from behalf.chain where log_id = ${LOG} and set_id = $1::bigint
     union all select 1 from behalf.projected_entry where log_id = ${LOG} and set_id = $1::bigint) as of_last`,
    [set],
  );
  return Number(rows[0]?.count) === 1 + ENTRIES_PER_CHAIN;
}

/** As autovacuum leaves the tables of a log that fills over weeks, not in minutes: counted, and its lists in the indexes. */
export async function settle(database: Database): Promise<void> {
  for (const table of ['chain', 'hop', 'projected_entry'])
    await database.pool('owner').query(`vacuum (analyze) behalf.${table}`);
}

async function insertPattern(database: Database): Promise<void> {
  const entries = delegatedCall(new Entries(), 1).all.map(({ entry }, i) => ({
    leafIndex: PATTERN_SET + BigInt(i),
    entry: marked({ ...entry, id: `${MARK}-0000-7000-8000-${i.toString(16).padStart(12, '0')}` }),
  }));
  const chains = stitch(entries);
  await insertStitched(database.pool('projector'), LOG, {
    chains: chains.map((chain) => chainRow(chain, PATTERN_SET)),
    hops: chains.flatMap((chain) => hopRows(chain, PATTERN_SET)),
    findings: [],
  });
}

/** The same with the mark in its trace id, and its agent under another name than the one asked for. */
const marked = <T>(entry: T): T =>
  JSON.parse(
    JSON.stringify(entry)
      .replaceAll(`"${'1'.padStart(32, '0')}"`, `"${'1'.padStart(24, '0')}${MARK}"`)
      .replaceAll('"ai_agent"', '"device"'),
  ) as T;

const number = "lpad(to_hex(n), 8, '0')";
const time = '$3::numeric - (n % 7776000) * 1000000000::numeric';
const busy = `case when n % 10 = 0 then array['service|https://idp|busy'] else array[]::text[] end`;

const COPY_CHAINS = `
  insert into behalf.chain (log_id, chain_id, set_id, from_time, to_time, subject_key, actor_keys, services, resources,
    scopes, trace_ids, transactions, verdict, rules, summary, body)
  select c.log_id, replace(c.chain_id, '${MARK}', ${number}), n * 100, ${time}, ${time},
    'p_' || lpad((n % 5000)::text, 32, '0'), array['service|https://idp|s' || n % 5000] || ${busy},
    array['s' || n % 400, 's' || (n + 1) % 400], c.resources, c.scopes, array[lpad('1', 24, '0') || ${number}],
    c.transactions, c.verdict, c.rules, replace(c.summary, '${MARK}', ${number}),
    replace(replace(case when n % 10 = 0 then replace(c.body, '"id":"gateway"', '"id":"busy"') else c.body end,
      '${MARK}', ${number}), '"${MARK_LEAF}', '"' || n)
  from behalf.chain c, generate_series($1::bigint, $2::bigint) as n
  where c.log_id = ${LOG} and c.set_id = $4::bigint`;

const COPY_HOPS = `
  insert into behalf.hop (log_id, hop_id, chain_id, set_id, time, from_service, to_service, resource, subject_key, actor_keys,
    scopes, grade, verdict, rules, body)
  select ${LOG}, (${number} || '-0000-7000-8000-' || lpad(to_hex(2 * h), 12, '0'))::uuid, 'c_' || ${number} || '000070008000000000000000',
    n * 100, ${time}, case when h = 0 and n % 10 = 0 then 'planner' else 's' || n % 400 end,
    case when h = 0 and n % 10 = 0 then 'payments' else 's' || (n + h) % 400 end, null, null,
    array['service|https://idp|s' || n % 5000], array['x'], 'proven', 'permitted', array[]::text[],
    '{"kind":"crossing","decision":null,"verification":null,"requiredScopes":[],"resource":null}'
  from generate_series($1::bigint, $2::bigint) as n, generate_series(0, ${HOPS_PER_CHAIN - 1}) as h`;

const COPY_ENTRIES = `
  insert into behalf.projected_entry (log_id, leaf_index, observation_id, set_id)
  select ${LOG}, n * 100 + e, (${number} || '-0000-7000-8000-' || lpad(to_hex(e), 12, '0'))::uuid, n * 100
  from generate_series($1::bigint, $2::bigint) as n, generate_series(0, ${ENTRIES_PER_CHAIN - 1}) as e`;

/** Pages of eight kilobytes that statements of this database looked at so far: what a question costs, whatever else runs. */
export async function buffersTouched(database: Database): Promise<number> {
  const { rows } = await database
    .pool('reader')
    .query<{ touched: string }>(
      'select blks_hit + blks_read as touched, pg_stat_clear_snapshot() from pg_stat_database where datname = current_database()',
    );
  return Number(rows[0]?.touched);
}
