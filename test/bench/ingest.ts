/*
 * How much the whole way in costs: acknowledged hops per second over sixteen connections, against a bare binary COPY of the
 * same entry bytes and a plain server with one insert for each span, in one run on one machine. Ratios, no absolutes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectDatabase, type Database, migrate, startPostgres } from '#database';
import { openLogReader } from '#ledger/read';
import { bareCopy } from './ingest/bare-copy.ts';
import { startChild } from './ingest/child.ts';
import type { Encoding } from './ingest/request-body.ts';
import type { Measured, Order } from './ingest/sender.ts';
import type { ServerOrder, ServerSays, ServerState } from './ingest/server.ts';
import { stageCosts } from './ingest/stages.ts';

const HELP = `npm run bench:ingest -- [--seconds 5] [--seed 1] [--json] [--cpu-prof folder]

What is measured: a fastify server with the collector before the ledger, on PostgreSQL with fsync, sent to by another process
over 16 connections, protobuf and JSON, with 1, 100 and 512 spans a request (12 attributes a span, 1,000 users).
  --seconds   how long each figure is measured
  --seed      which ids and users the spans have
  --json      the figures and ratios as one object on standard output
  --cpu-prof  where the measured servers leave their profiles

Baselines in the same run:
  copy     bare binary COPY of the same entry bytes, 4,096 rows in each transaction, one connection
  inserts  fastify with its own JSON parser and a pg pool of 16: one transaction for each request, one awaited insert for
           each span into one table with one index besides its key; sent JSON, which it parses faster than protobufjs protobuf
`;

const SIZES = [1, 100, 512] as const;
const CONNECTIONS = 16;
const fileOf = (name: string) => join(import.meta.dirname, 'ingest', `${name}.ts`);

type Send = (
  order: Omit<Order, 'connections' | 'seconds' | 'seed'> & { readonly seconds?: number },
) => Promise<Measured>;
interface Bench {
  readonly seconds: number;
  readonly url: string;
  readonly database: Database;
  readonly folder: string;
  readonly profile: readonly string[];
  readonly seed: number;
  readonly send: Send;
  readonly say: (text: string) => void;
}

/** A server for as long as `use` takes. */
async function withServer<T>(
  { url, folder, profile }: Bench,
  kind: ServerOrder['kind'],
  use: (port: number, state: () => Promise<ServerState>) => Promise<T>,
): Promise<T> {
  const order: ServerOrder = { kind, url, keyFolder: join(folder, 'keys') };
  const options = ['--max-semi-space-size=8', ...profile]; // as `npm run serve`
  const child = startChild<'state', ServerSays>(fileOf('server'), JSON.stringify(order), options);
  try {
    return await use((await child.first).port, () => child.ask<ServerState>('state'));
  } finally {
    await child.end();
  }
}

async function collector(bench: Bench) {
  return withServer(bench, 'collector', async (port, state) => {
    await bench.send({ port, encoding: 'protobuf', perRequest: 100, seconds: 2 }); // warm
    const capacity: { encoding: Encoding; perRequest: number; measured: Measured }[] = [];
    for (const encoding of ['protobuf', 'json'] as const) {
      for (const perRequest of SIZES) {
        const measured = await bench.send({ port, encoding, perRequest });
        capacity.push({ encoding, perRequest, measured });
        bench.say(`collector, ${encoding}, ${perRequest} a request: ${words(measured)}`);
      }
    }
    const half: { perRequest: number; measured: Measured }[] = [];
    for (const { encoding, perRequest, measured } of capacity) {
      if (encoding === 'json') continue;
      const requestsPerSecond = measured.hopsPerSecond / perRequest / 2;
      const calm = await bench.send({ port, encoding, perRequest, requestsPerSecond });
      half.push({ perRequest, measured: calm });
      bench.say(`  at half of that, ${perRequest} a request: ${words(calm)}`);
    }
    return { capacity, half, mostRssMiB: (await state()).mostRssMiB };
  });
}

/**
 * At the rate that is asked for with the projection behind: how far it lags when the sending ends. `project`: microseconds
 * for each hop that was there before, when it follows alone.
 */
async function projected(bench: Bench, hopsPerSecond: number) {
  return withServer(bench, 'projected', async (port, state) => {
    const { size } = await state();
    const aloneSeconds = await caughtUp(state);
    const project = (aloneSeconds * 1e6) / Number(size);
    const perRequest = 100;
    const requestsPerSecond = hopsPerSecond / perRequest;
    const before = await state();
    const sending = bench.send({
      port,
      encoding: 'protobuf',
      perRequest,
      requestsPerSecond,
      seconds: 2 * bench.seconds,
    });
    const measured = await sending;
    const ended = await state();
    const lagSeconds = await caughtUp(state);
    const stored = Number(BigInt(ended.size) - BigInt(before.size));
    const followed = stored / (2 * bench.seconds + lagSeconds);
    bench.say(
      `with the projection, asked ${Math.round(hopsPerSecond)} hops/s: ${words(measured)}; lag ${lagSeconds.toFixed(1)} s`,
    );
    const { mostRssMiB } = ended;
    return { asked: hopsPerSecond, measured, lagSeconds, followedPerSecond: followed, mostRssMiB, project };
  });
}

/** Seconds until the projection is at the log's size. */
async function caughtUp(state: () => Promise<ServerState>): Promise<number> {
  const started = performance.now();
  for (;;) {
    const { size, projected } = await state();
    if (BigInt(projected) >= BigInt(size)) return (performance.now() - started) / 1000;
    await sleep(20);
  }
}

async function plain(bench: Bench) {
  await bench.database
    .pool('owner')
    .query(
      'create table bench_span (id bigserial primary key, trace_id text, span_id text, parent_span_id text, name text, kind int, start_ns numeric, attributes jsonb, resource jsonb)',
    );
  await bench.database.pool('owner').query('create index on bench_span (trace_id)');
  return withServer(bench, 'plain', async (port) => {
    await bench.send({ port, encoding: 'json', perRequest: 100, seconds: 1 });
    const found: { perRequest: number; measured: Measured }[] = [];
    for (const perRequest of SIZES) {
      const measured = await bench.send({ port, encoding: 'json', perRequest });
      found.push({ perRequest, measured });
      bench.say(`one insert a span, json, ${perRequest} a request: ${words(measured)}`);
    }
    return found;
  });
}

const words = ({ hopsPerSecond, p50Ms, p99Ms, answers }: Measured): string =>
  `${Math.round(hopsPerSecond)} hops/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${JSON.stringify(answers)}`;

async function run(bench: Bench) {
  const inserts = await plain(bench);
  const taken = await collector(bench);
  const log = openLogReader({ database: bench.database, logId: 1 });
  const entries = (await log.entries(0n, 2048)).map(({ bytes }) => bytes);
  const entryBytes = Math.round(entries.reduce((sum, bytes) => sum + bytes.length, 0) / entries.length);
  const copyPerSecond = await bareCopy(bench.database, entries, bench.seconds);
  bench.say(`bare binary COPY: ${Math.round(copyPerSecond)} rows/s of ${entryBytes} bytes`);
  const ratios = taken.capacity.map(({ encoding, perRequest, measured }) => ({
    encoding,
    perRequest,
    ofCopy: measured.hopsPerSecond / copyPerSecond,
    timesInserts:
      measured.hopsPerSecond /
      (inserts.find((each) => each.perRequest === perRequest)?.measured.hopsPerSecond ?? Number.NaN),
  }));
  for (const { encoding, perRequest, ofCopy, timesInserts } of ratios) {
    bench.say(
      `${encoding}, ${perRequest} a request: ${ofCopy.toFixed(2)} of bare COPY, ${timesInserts.toFixed(1)} × one insert a span`,
    );
  }
  const followed = await projected(bench, 0.15 * copyPerSecond);
  const copy = 1e6 / copyPerSecond;
  const stages = { ...stageCosts(bench.seconds, bench.seed), 'copy (bare)': copy, project: followed.project };
  for (const [stage, cost] of Object.entries(stages)) bench.say(`${stage}: ${cost.toFixed(1)} µs a hop`);
  bench.say(
    `most resident memory: ${Math.round(taken.mostRssMiB)} MiB, with the projection ${Math.round(followed.mostRssMiB)} MiB`,
  );
  return { inserts, ...taken, copyPerSecond, entryBytes, ratios, followed, stages };
}

/** The acknowledged requests by their number, not one by one. */
const counted = (key: string, value: unknown): unknown =>
  key === 'acknowledged' && Array.isArray(value) ? value.length : value;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' }, // a folder for the servers' profiles
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
const seconds = Number(values.seconds);
const seed = Number(values.seed);
const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
const postgres = await startPostgres({ dataDir: join(folder, 'data') });
const database = connectDatabase({ url: postgres.url });
const sender = startChild<Order, Measured>(fileOf('sender'), '');
sender.first.catch(() => undefined); // it says nothing unasked
try {
  await migrate(postgres.url);
  const result = await run({
    seconds,
    seed,
    url: postgres.url,
    database,
    folder,
    profile: values['cpu-prof'] === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values['cpu-prof']}`],
    send: (order) => sender.ask<Measured>({ seconds, seed, connections: CONNECTIONS, ...order }),
    say: (text) => process.stderr.write(`${text}\n`),
  });
  if (values.json) process.stdout.write(`${JSON.stringify(result, counted)}\n`);
} finally {
  await sender.end();
  await database.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
