/*
 * What a blast radius over 90 days costs, and how little that depends on how much else the log holds: the same reach is asked
 * for among more and more hops of others. `npm run bench:blast-radius -- --hops 1000000,10000000 --json`
 */
import { parseArgs } from 'node:util';
import type { BlastRadiusAnswer } from '#query';
import { percentiles } from './projection/api.ts';
import { buffersTouched } from './projection/fill.ts';
import { type Size, withSizes } from './projection/sizes.ts';

const WARM = 10;
const ASKED = 200;
/** In a hundred chains over ninety days, and in every tenth chain. */
const PARTIES = { rare: 'ai_agent|https://idp|planner', busy: 'service|https://idp|busy' };
const HELP = `bench:blast-radius: the same reach among more and more hops of others, asked of each size by turns
  --hops A,B     sizes of the tables (default 100000,1000000)
  --data FOLDER  keeps the filled tables there for the next run
  --json         one object with the ratios
`;
const { values } = parseArgs({
  options: {
    hops: { type: 'string', default: '100000,1000000' },
    data: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function askOf(sizes: readonly Size[], party: string, key: string) {
  const path = `/api/v1/parties/${encodeURIComponent(key)}/blast-radius?from=2026-08-03T00:00:00Z`;
  const asked = sizes.map(() => [] as { readonly answer: BlastRadiusAnswer; readonly ms: number }[]);
  const before = await Promise.all(sizes.map(({ database }) => buffersTouched(database)));
  for (let n = 0; n < WARM + ASKED; n += 1)
    for (const [i, { api }] of sizes.entries()) asked[i]?.push(await api.ask<BlastRadiusAnswer>(path));
  const after = await Promise.all(sizes.map(({ database }) => buffersTouched(database)));
  return sizes.map(({ hops }, i) => ({
    hops,
    party,
    ...percentiles((asked[i] ?? []).slice(WARM).map(({ ms }) => ms)),
    buffers: ((after[i] ?? 0) - (before[i] ?? 0)) / (WARM + ASKED),
    chains: asked[i]?.[0]?.answer.actual.chains,
    services: asked[i]?.[0]?.answer.actual.services.length,
  }));
}

async function run(sizes: readonly Size[]) {
  const parties = [];
  for (const [party, key] of Object.entries(PARTIES)) {
    const found = await askOf(sizes, party, key);
    const [least, most] = [found[0], found.at(-1)];
    if (least === undefined || most === undefined) throw new TypeError('blast-radius: no size is given');
    const ratio = {
      p50: most.p50Ms / least.p50Ms,
      p95: most.p95Ms / least.p95Ms,
      buffers: most.buffers / least.buffers,
    };
    parties.push({ party, found, ratio });
  }
  return { fillSeconds: sizes.map(({ fillSeconds }) => fillSeconds), parties };
}

if (values.help) process.stdout.write(HELP);
else {
  const report = await withSizes({ hops: values.hops.split(',').map(Number), data: values.data }, run);
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    for (const { party, found, ratio } of report.parties) {
      for (const each of found) process.stdout.write(`${JSON.stringify(each)}\n`);
      process.stdout.write(`${party}, largest to smallest: ${JSON.stringify(ratio)}; asked: p95 1.5\n`);
    }
  }
}
