/*
 * How fast the projection follows, against a bare binary COPY of the same entries, and what the whole chain of any hop costs
 * when the tables hold more and more others. `npm run bench:projection -- --hops 1000000,10000000 --json`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Chain } from '#chains';
import { type Database, openDatabase } from '#database';
import { openApi, percentiles } from './projection/api.ts';
import { fill, HOPS_PER_CHAIN, observationOf, settle } from './projection/fill.ts';
import { follow } from './projection/follow.ts';

const ASKED = 1_000;
const WARM = 100;
const HELP = `bench:projection: follows a log, then asks for whole chains among others
  --chains N    chains of five hops and eleven entries to follow (default 4000)
  --open N      how many of them are under way at a time (default 100)
  --hops A,B    sizes of the tables at which chains are asked for (default 100000,1000000; 0: not at all)
  --seconds N   of the bare COPY beside it (default 2)
  --seed N      which hops are asked for (default 1)
  --json        one object with the ratios
`;
const { values } = parseArgs({
  options: {
    chains: { type: 'string', default: '4000' },
    open: { type: 'string', default: '100' },
    hops: { type: 'string', default: '100000,1000000' },
    seconds: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): unknown => process.stderr.write(`${text}\n`);

async function withDatabase<T>(use: (database: Database, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  const database = await openDatabase({ dataDir: join(folder, 'data') });
  try {
    return await use(database, folder);
  } finally {
    await database.close();
    await rm(folder, { recursive: true });
  }
}

/** Milliseconds of the whole chain of hops drawn at random, at each size. */
async function chainsOfHops(database: Database, folder: string, sizes: readonly number[]) {
  const api = await openApi(database, folder);
  const draw = drawing(Number(values.seed));
  const report = [];
  for (const [i, hops] of sizes.entries()) {
    const from = performance.now();
    await fill(database, sizes[i - 1] ?? 0, hops);
    await settle(database);
    const fillSeconds = (performance.now() - from) / 1000;
    const ms: number[] = [];
    for (let n = 0; n < WARM + ASKED; n += 1) {
      const id = observationOf(1 + draw(hops / HOPS_PER_CHAIN), 2 * draw(HOPS_PER_CHAIN));
      const asked = await api.ask<{ chain: Chain }>(`/api/v1/chains/${id}`);
      if (asked.answer.chain.hops.length !== HOPS_PER_CHAIN) throw new Error(`${id}: not the whole chain`);
      if (n >= WARM) ms.push(asked.ms);
    }
    report.push({ hops, fillSeconds, ...percentiles(ms) });
    say(`the chain of any of ${hops} hops: ${JSON.stringify(report.at(-1))}; asked: p95 25 ms`);
  }
  await api.close();
  return report;
}

/** Whole numbers below a bound, the same for the same seed (Numerical Recipes' generator). */
function drawing(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function run() {
  const given = {
    chains: Number(values.chains),
    open: Number(values.open),
    seed: Number(values.seed),
    seconds: Number(values.seconds),
  };
  const followed = await withDatabase((database, folder) => follow(database, folder, given));
  say(
    `followed ${Math.round(followed.hopsPerSecond)} hops/s (${Math.round(followed.entriesPerSecond)} entries/s, ${followed.ofCopy.toFixed(3)} of COPY), ${Math.round(followed.nodeMicrosPerHop)} µs of Node a hop; asked: 15,000 hops/s`,
  );
  const sizes = values.hops.split(',').map(Number);
  const chainOfHop =
    sizes[0] === 0 ? [] : await withDatabase((database, folder) => chainsOfHops(database, folder, sizes));
  const [least, most] = [chainOfHop[0], chainOfHop.at(-1)];
  const ratio = least === undefined || most === undefined ? undefined : most.p95Ms / least.p95Ms;
  if (ratio !== undefined) say(`largest to smallest, p95: ${ratio.toFixed(2)}; asked: 1.5`);
  return { followed, chainOfHop, ratio };
}

if (values.help) process.stdout.write(HELP);
else {
  const report = await run();
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
}
