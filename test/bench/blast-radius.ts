/*
 * What a blast radius over 90 days costs, and how little that depends on how much else the log holds: the same reach is asked
 * for among more and more hops of others. `npm run bench:blast-radius -- --hops 1000000,10000000 --json`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Database, openDatabase } from '#database';
import type { BlastRadiusAnswer } from '#query';
import { openApi, percentiles } from './projection/api.ts';
import { insertAsked } from './projection/asked.ts';
import { fill, settle } from './projection/fill.ts';

const WARM = 10;
const ASKED = 100;
/** In a hundred chains over ninety days, and in every tenth chain. */
const PARTIES = { rare: 'ai_agent|https://idp|planner', busy: 'service|https://idp|busy' };
const HELP = `bench:blast-radius: the same reach among more and more hops of others
  --hops A,B   sizes of the tables (default 100000,1000000)
  --json       one object with the ratios
`;
const { values } = parseArgs({
  options: {
    hops: { type: 'string', default: '100000,1000000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Asked {
  readonly hops: number;
  readonly party: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly chains: number | undefined;
  readonly services: number | undefined;
}

async function run(database: Database, folder: string, sizes: readonly number[]) {
  const api = await openApi(database, folder);
  await insertAsked(database);
  const report: Asked[] = [];
  for (const [i, hops] of sizes.entries()) {
    await fill(database, sizes[i - 1] ?? 0, hops);
    await settle(database);
    for (const [party, key] of Object.entries(PARTIES)) {
      const path = `/api/v1/parties/${encodeURIComponent(key)}/blast-radius?from=2026-08-03T00:00:00Z`;
      for (let n = 0; n < WARM; n += 1) await api.ask(path);
      const asked = [];
      for (let n = 0; n < ASKED; n += 1) asked.push(await api.ask<BlastRadiusAnswer>(path));
      const reach = asked[0]?.answer.actual;
      report.push({
        hops,
        party,
        ...percentiles(asked.map(({ ms }) => ms)),
        chains: reach?.chains,
        services: reach?.services.length,
      });
    }
  }
  await api.close();
  const ratios = Object.keys(PARTIES).map((party) => {
    const ms = report.filter((each) => each.party === party);
    return {
      party,
      p50: (ms.at(-1)?.p50Ms ?? 0) / (ms[0]?.p50Ms ?? 0),
      p95: (ms.at(-1)?.p95Ms ?? 0) / (ms[0]?.p95Ms ?? 0),
    };
  });
  return { sizes: report, ratios };
}

if (values.help) process.stdout.write(HELP);
else {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  const database = await openDatabase({ dataDir: join(folder, 'data') });
  try {
    const report = await run(database, folder, values.hops.split(',').map(Number));
    if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else for (const each of [...report.sizes, ...report.ratios]) process.stdout.write(`${JSON.stringify(each)}\n`);
  } finally {
    await database.close();
    await rm(folder, { recursive: true });
  }
}
