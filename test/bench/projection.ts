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
import { percentiles } from './projection/api.ts';
import { HOPS_PER_CHAIN, observationOf } from './projection/fill.ts';
import { follow } from './projection/follow.ts';
import { type Size, withSizes } from './projection/sizes.ts';

const ASKED = 1_000;
const WARM = 100;
const HELP = `bench:projection: follows a log, then asks for whole chains among others
  --chains N    chains of five hops and eleven entries to follow (default 4000)
  --open N      how many of them are under way at a time (default 100)
  --hops A,B    sizes of the tables at which chains are asked for (default 100000,1000000; 0: not at all)
  --data FOLDER keeps the filled tables there for the next run
  --seconds N   of the bare COPY beside it (default 2)
  --seed N      which hops are asked for (default 1)
  --json        one object with the ratios
`;
const { values } = parseArgs({
  options: {
    chains: { type: 'string', default: '4000' },
    open: { type: 'string', default: '100' },
    hops: { type: 'string', default: '100000,1000000' },
    data: { type: 'string' },
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

/** Milliseconds of the whole chain of hops drawn at random, asked of each size by turns. */
async function chainsOfHops(sizes: readonly Size[]) {
  const draw = drawing(Number(values.seed));
  const ms = sizes.map((): number[] => []);
  for (let n = 0; n < WARM + ASKED; n += 1) {
    for (const [i, { hops, api }] of sizes.entries()) {
      const id = observationOf(1 + draw(hops / HOPS_PER_CHAIN), 2 * draw(HOPS_PER_CHAIN));
      const asked = await api.ask<{ chain: Chain }>(`/api/v1/chains/${id}`);
      if (asked.answer.chain.hops.length !== HOPS_PER_CHAIN) throw new Error(`${id}: not the whole chain`);
      if (n >= WARM) ms[i]?.push(asked.ms);
    }
  }
  return sizes.map(({ hops, fillSeconds }, i) => ({ hops, fillSeconds, ...percentiles(ms[i] ?? []) }));
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
  const hops = values.hops.split(',').map(Number);
  const chainOfHop = hops[0] === 0 ? [] : await withSizes({ hops, data: values.data }, chainsOfHops);
  for (const each of chainOfHop) say(`the chain of any of so many hops: ${JSON.stringify(each)}; asked: p95 25 ms`);
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
