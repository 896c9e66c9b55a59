/*
 * What a blast radius over 90 days costs, and how little that depends on how much else the log holds: the same reach is asked
 * for among more and more hops of others. `npm run bench:blast-radius -- --hops 100000,1000000 --json`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fastify from 'fastify';
import { type Chain, stitch } from '#chains';
import { type Database, openDatabase } from '#database';
import { openLedger } from '#ledger';
import { openLogReader, openPersonReader } from '#ledger/read';
import { type BlastRadiusAnswer, queryApi } from '#query';
import { chainRow, hopRows } from '../../src/projection/row.ts';
import { insertStitched } from '../../src/projection/sql/chain.ts';
import { delegatedCall, Entries } from '../chains/entries.ts';

const LOG = 1;
const DAY = 86_400_000_000_000n;
const END = 1_793_439_700_000_000_000n;
const CHAINS = 100; // of the party that is asked for
const ASKED = 40;

const { values } = parseArgs({
  options: { hops: { type: 'string', default: '100000,1000000' }, json: { type: 'boolean', default: false } },
});

const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
const database = await openDatabase({ dataDir: join(folder, 'data') });
try {
  const report = await run(database, values.hops.split(',').map(Number));
  process.stdout.write(
    values.json ? `${JSON.stringify(report)}\n` : `${report.map((each) => JSON.stringify(each)).join('\n')}\n`,
  );
} finally {
  await database.close();
  await rm(folder, { recursive: true });
}

async function run(database: Database, sizes: readonly number[]) {
  const ledger = await openLedger({ database, keyFolder: join(folder, 'keys'), onAlarm: () => undefined });
  const { origin, verifierKey } = ledger;
  const persons = await openPersonReader({ database, logId: LOG, origin, keyFolder: join(folder, 'keys') });
  const app = fastify({ routerOptions: { maxParamLength: 1024 } });
  await app.register(queryApi, {
    database,
    log: openLogReader({ database, logId: LOG }),
    persons,
    projection: { size: () => 0n },
    verifierKey,
  });
  await insertAsked(database);
  const report = [];
  let made = 0;
  for (const size of sizes) {
    await insertOthers(database, made, size);
    made = size;
    const ask = async (key: string) => {
      const from = performance.now();
      const response = await app.inject(`/api/v1/parties/${key}/blast-radius?from=2026-08-03T00:00:00Z`);
      const answer = response.json<BlastRadiusAnswer>();
      return { ms: performance.now() - from, services: answer.actual.services.length, chains: answer.actual.chains };
    };
    for (const [name, key] of [
      ['rare', encodeURIComponent('ai_agent|https://idp|planner')],
      ['busy', encodeURIComponent('service|https://idp|busy')],
    ] as const) {
      for (let i = 0; i < 5; i += 1) await ask(key);
      const asked = [];
      for (let i = 0; i < ASKED; i += 1) asked.push(await ask(key));
      const sorted = asked.map(({ ms }) => ms).toSorted((a, b) => a - b);
      const [p50, p95] = [sorted[ASKED / 2], sorted[Math.floor(ASKED * 0.95)]];
      report.push({
        hops: size,
        party: name,
        p50Ms: p50,
        p95Ms: p95,
        chains: asked[0]?.chains,
        services: asked[0]?.services,
      });
    }
  }
  await app.close();
  await ledger.close();
  return report;
}

/** The chains that are asked for, spread over 90 days. */
async function insertAsked(database: Database): Promise<void> {
  for (let i = 0; i < CHAINS; i += 1) {
    const shift = BigInt(i) * ((90n * DAY) / BigInt(CHAINS));
    const entries = delegatedCall(new Entries(), i + 1).all.map(({ leafIndex, entry }) => ({
      leafIndex,
      entry: {
        ...entry,
        id: entry.id.replace('-8000-', `-8${i.toString(16).padStart(3, '0')}-`),
        time: String(BigInt(entry.time) - shift),
      },
    }));
    const chains: readonly Chain[] = stitch(entries);
    await insertStitched(database.pool('projector'), LOG, {
      chains: chains.map((chain) => chainRow(chain, BigInt(i))),
      hops: chains.flatMap((chain) => hopRows(chain, BigInt(i))),
      findings: [],
    });
  }
}

/** Hops of others, five a chain: 400 services, 5,000 parties, one party in every tenth chain. */
async function insertOthers(database: Database, from: number, to: number): Promise<void> {
  const owner = database.pool('owner');
  const { rows } = await owner.query<{ body: string }>(
    'select body from behalf.chain where log_id = 1 order by chain_id limit 1',
  );
  const body = (rows[0]?.body ?? '').replaceAll('ai_agent', 'device');
  const busy = body.replaceAll(
    '"id":"planner","issuer":"https://idp","type":"device"',
    '"id":"busy","issuer":"https://idp","type":"service"',
  );
  for (let at = from / 5; at < to / 5; at += 20_000) {
    await owner.query(
      `insert into behalf.chain (log_id, chain_id, set_id, from_time, to_time, subject_key, actor_keys, services, resources, scopes,
         trace_ids, transactions, verdict, rules, summary, body)
       select 1, 'c_f' || lpad(n::text, 31, '0'), 1000 + n, $3::numeric - (n % 7776000) * 1000000000::numeric, $3::numeric - (n % 7776000) * 1000000000::numeric,
         'p_' || lpad((n % 5000)::text, 32, '0'), array['service|https://idp|s' || n % 5000] || case when n % 10 = 0 then array['service|https://idp|busy'] else array[]::text[] end,
         array['s' || n % 400, 's' || (n + 1) % 400], array[]::text[], array['x'], array[lpad(to_hex(n), 32, '0')], array[]::text[],
         'permitted', array[]::text[], '{}', case when n % 10 = 0 then $5::text else $4::text end
       from generate_series($1::bigint, $2::bigint) as n`,
      [at, Math.min(at + 20_000, to / 5) - 1, String(END), body, busy],
    );
    await owner.query(
      `insert into behalf.hop (log_id, hop_id, chain_id, set_id, time, from_service, to_service, resource, subject_key, actor_keys,
         scopes, grade, verdict, rules, body)
       select 1, gen_random_uuid(), 'c_f' || lpad(n::text, 31, '0'), 1000 + n, $3::numeric - (n % 7776000) * 1000000000::numeric,
         case when h = 0 and n % 10 = 0 then 'planner' else 's' || n % 400 end, case when h = 0 and n % 10 = 0 then 'payments' else 's' || (n + h) % 400 end, null, null, array['service|https://idp|s' || n % 5000], array['x'], 'proven', 'permitted', array[]::text[],
         '{"kind":"crossing","decision":null,"verification":null,"requiredScopes":[],"resource":null}'
       from generate_series($1::bigint, $2::bigint) as n, generate_series(0, 4) as h`,
      [at, Math.min(at + 20_000, to / 5) - 1, String(END)],
    );
  }
  await owner.query('analyze behalf.chain');
  await owner.query('analyze behalf.hop');
}
