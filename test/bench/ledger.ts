/*
 * How close the ledger comes to bare PostgreSQL: entries per second through the sequencer, as ratios to a bare binary COPY
 * in the same run, before and after; then what a log of a million entries costs on disk, to prove and to recompute. Claims
 * no absolutes: compare two runs on one machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Database, openDatabase } from '#database';
import { openLedger } from '#ledger';
import { Sequencer } from '../../src/ledger/sequencer.ts';
import { bareCopy, bareRunCopy, fsyncMs } from './ledger/baselines.ts';
import { Entries } from './ledger/entries.ts';
import { between, measure, type Rate } from './ledger/measure.ts';
import { fsckFromMemory, fsckPerSecond, onDisk, overhead, proofP99Ms } from './ledger/written.ts';

const HELP = `npm run bench:ledger -- [--seconds 3] [--size 1000000] [--json]
  --seconds   how long each rate is measured
  --size      entries of the log that proofs and fsck are measured on, filled through the sequencer
  --json      one object with the figures and the ratios
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    size: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const BATCH = 4096;
const CALLERS = 1024;

async function run(seconds: number, size: number, folder: string) {
  const database = await openDatabase({ dataDir: join(folder, 'data') });
  try {
    const ledger = await openLedger({
      database,
      keyFolder: join(folder, 'keys'),
      publishIntervalMs: 2 ** 31 - 1,
      onAlarm: (error) => {
        throw error;
      },
    });
    const appended = await append(database, seconds);
    const filled = await fill(database, size);
    await ledger.publish();
    const written = {
      ...filled,
      proofP99Ms: await proofP99Ms(database, seconds),
      fsckPerSecond: await fsckPerSecond(database),
      fsckFromMemory: await fsckFromMemory(database, seconds),
    };
    await ledger.close();
    return { ...appended, ...written, fsyncMs: await fsyncMs(folder) };
  } finally {
    await database.close();
  }
}

async function append(database: Database, seconds: number) {
  const sequencer = new Sequencer({ database, logId: 1 });
  const pools = Array.from({ length: 2 }, () => new Entries(BATCH));
  const singles = Array.from({ length: CALLERS }, () => new Entries(1));
  const send = (all: readonly Entries[]) => async (caller: number) =>
    (await sequencer.append(all[caller]?.renewed() ?? [])).length;
  const looks = [await onDisk(database)];
  const rates: Rate[] = [await bareCopy(database, seconds), await bareRunCopy(database, seconds)];
  for (const [callers, all] of [
    [2, pools],
    [CALLERS, singles],
    [1, singles],
  ] as const) {
    rates.push(await measure(seconds, callers, send(all)));
    looks.push(await onDisk(database));
  }
  rates.push(await bareCopy(database, seconds), await bareRunCopy(database, seconds));
  await sequencer.close();
  const [before, runsBefore, large, many, one, after, runsAfter] = rates as [Rate, Rate, Rate, Rate, Rate, Rate, Rate];
  const costs = looks.slice(1).map((look, i) => overhead(looks[i] ?? look, look));
  return {
    bare: between(before, after),
    bareRuns: between(runsBefore, runsAfter),
    large,
    many,
    one,
    overheadBytesPerEntry: { large: costs[0] ?? 0, many: costs[1] ?? 0, one: costs[2] ?? 0 },
  };
}

async function fill(database: Database, size: number) {
  const sequencer = new Sequencer({ database, logId: 1 });
  const pool = new Entries(BATCH);
  let look = await onDisk(database);
  for (; look.entries < size; look = await onDisk(database)) {
    for (let i = 0; i < 16; i += 1) await sequencer.append(pool.renewed());
  }
  await sequencer.close();
  return { entries: look.entries };
}

type Result = Awaited<ReturnType<typeof run>>;

const ratiosOf = ({ bare, bareRuns, large, many, one, fsyncMs }: Result) => ({
  largeOfCopy: large.perSecond / bare.perSecond,
  manyOfCopy: many.perSecond / bare.perSecond,
  largeOfRunCopy: large.perSecond / bareRuns.perSecond,
  manyOfRunCopy: many.perSecond / bareRuns.perSecond,
  oneP99OfLimit: one.p99Ms / (4 * fsyncMs + 2),
});

function describe(result: Result): string {
  const { bare, bareRuns, large, many, one, overheadBytesPerEntry: cost, fsckFromMemory: memory } = result;
  const line = (what: string, rate: Rate) =>
    `${what.padEnd(44)} ${rate.perSecond.toFixed(0).padStart(8)}/s  ratio ${(rate.perSecond / bare.perSecond).toFixed(2)}  p50 ${rate.p50Ms.toFixed(2)} ms  p99 ${rate.p99Ms.toFixed(2)} ms`;
  return [
    line('bare binary copy of entries, 4096 a batch', bare),
    line('bare binary copy of runs of 256', bareRuns),
    line('sequencer, 2 callers of 4096', large),
    line(`sequencer, ${CALLERS} callers of 1`, many),
    line('sequencer, 1 caller of 1', one),
    `fsync of 8 KiB: ${result.fsyncMs.toFixed(2)} ms; so one caller's p99 is asked to be at most ${(4 * result.fsyncMs + 2).toFixed(1)} ms`,
    `bytes on disk beyond an entry's own: ${cost.large.toFixed(0)} in large batches, ${cost.many.toFixed(0)} from ${CALLERS} callers, ${cost.one.toFixed(0)} one by one`,
    `log of ${result.entries} entries: proof p99 ${result.proofP99Ms.toFixed(2)} ms; fsck from the database ${result.fsckPerSecond.toFixed(0)}/s`,
    `fsck from memory, one thread: ${memory.perSecond.toFixed(0)}/s, ${memory.perCoreSecond.toFixed(0)} per second of processor time`,
    '',
  ].join('\n');
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  try {
    const result = await run(Number(values.seconds), Number(values.size), folder);
    process.stdout.write(
      values.json ? `${JSON.stringify({ ...result, ratios: ratiosOf(result) })}\n` : describe(result),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
