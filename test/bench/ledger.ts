/*
 * How close the ledger comes to bare PostgreSQL: entries per second through the sequencer, as ratios to a bare binary COPY
 * of the same rows in the same run. `npm run bench:ledger -- --seconds 5 --json`. Claims no absolutes: compare two runs
 * on one machine.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Database, openDatabase, transaction } from '#database';
import { fsck, openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import type { Pending } from '../../src/ledger/batch.ts';
import { BinaryRows, copyIn } from '../../src/ledger/copy-in.ts';
import { Sequencer } from '../../src/ledger/sequencer.ts';

const ENTRY_BYTES = 600;
const BATCH = 4096;
const LOG = 1;

interface Rate {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

let made = 0;

/** UUIDv7 in form and order, and cheap: making ids is not what is measured. */
function nextId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  made += 1;
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${made.toString(16).padStart(12, '0')}`;
}

/** Entries of the size of a usual hop; every one has its own id. */
const entries = (count: number): Pending[] =>
  Array.from({ length: count }, () => {
    const id = nextId();
    const head = `{"id":"${id}","pad":"`;
    const pad = randomBytes(Math.ceil((ENTRY_BYTES - head.length - 2) / 2)).toString('hex');
    return { id, bytes: Buffer.from(`${head}${pad.slice(0, ENTRY_BYTES - head.length - 2)}"}`) };
  });

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Repeats `step` from `callers` callers at once for a while; each returns how many entries it stored. */
async function measure(seconds: number, callers: number, step: () => Promise<number>): Promise<Rate> {
  const latencies: number[] = [];
  let stored = 0;
  const started = performance.now();
  const until = started + seconds * 1000;
  const caller = async () => {
    while (performance.now() < until) {
      const before = performance.now();
      const count = await step(); // before the sum is read: others add to it meanwhile
      stored += count;
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsed = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  return { perSecond: stored / elapsed, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

/** The yardstick: the same rows into a table of the same columns and key, nothing else. */
async function bareCopy(database: Database, seconds: number, pool: readonly Pending[]): Promise<Rate> {
  const owner = database.pool('owner');
  await owner.query(
    'create table bench_entry (log_id int not null, leaf_index bigint not null, bytes bytea not null, primary key (log_id, leaf_index))',
  );
  let next = 0n;
  const rate = await measure(seconds, 1, async () => {
    const rows = new BinaryRows({
      rows: BATCH,
      fields: 3,
      dataBytes: pool.slice(0, BATCH).reduce((sum, { bytes }) => sum + 12 + bytes.length, 0),
    });
    for (const { bytes } of pool.slice(0, BATCH)) rows.row().int4(LOG).int8(next++).bytes(bytes);
    await transaction(owner, (client) => copyIn(client, 'copy bench_entry from stdin (format binary)', rows));
    return BATCH;
  });
  await owner.query('drop table bench_entry');
  return rate;
}

/** The same entry under a fresh id, which stands where `entries` put it. */
function renewed(entry: Pending): Pending {
  const id = nextId();
  const bytes = Buffer.from(entry.bytes);
  bytes.write(id, '{"id":"'.length, 'latin1');
  return { id, bytes };
}

async function fsyncMs(folder: string): Promise<number> {
  const file = await open(join(folder, 'fsync'), 'w');
  const times: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    await file.write(randomBytes(8192));
    const before = performance.now();
    await file.datasync();
    times.push(performance.now() - before);
  }
  await file.close();
  return percentile(
    times.toSorted((a, b) => a - b),
    0.5,
  );
}

async function run(seconds: number, folder: string) {
  const database = await openDatabase({ dataDir: join(folder, 'data') });
  try {
    const ledger = await openLedger({
      database,
      keyFolder: join(folder, 'keys'),
      logId: LOG,
      publishIntervalMs: 2 ** 31 - 1,
      onAlarm: (error) => {
        throw error;
      },
    });
    const pool = entries(BATCH);
    const sequencer = new Sequencer({ database, logId: LOG });
    const bare = await bareCopy(database, seconds, pool);
    const single = async () => (await sequencer.append(pool.slice(0, 1).map(renewed))).length;
    const large = await measure(seconds, 2, async () => (await sequencer.append(pool.map(renewed))).length);
    const many = await measure(seconds, 1024, single);
    const one = await measure(seconds, 1, single);
    await sequencer.close();
    await ledger.close();
    return { ...(await afterwards(database)), fsyncMs: await fsyncMs(folder), bare, large, many, one };
  } finally {
    await database.close();
  }
}

/** What the log that was written costs on disk, to prove and to recompute. */
async function afterwards(database: Database) {
  const { rows } = await database.pool('owner').query<{ bytes: string }>(
    `select sum(pg_total_relation_size(c.oid)) as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'behalf' and c.relkind = 'r'`,
  );
  const reader = openLogReader({ database, logId: LOG });
  const { size } = await reader.log();
  const proofs = await measure(2, 1, async () => {
    await reader.prove(BigInt(Math.floor(Math.random() * Number(size))));
    return 1;
  });
  const before = performance.now();
  const report = await fsck({ database, logId: LOG });
  if (!report.ok) throw new Error(`the benchmark's log is not sound: ${report.firstDifference?.says}`);
  return {
    entries: Number(size),
    overheadBytesPerEntry: Number(rows[0]?.bytes) / Number(size) - ENTRY_BYTES,
    proofP99Ms: proofs.p99Ms,
    fsckPerSecond: Number(size) / ((performance.now() - before) / 1000),
  };
}

type Result = Awaited<ReturnType<typeof run>>;

function describe({ bare, large, many, one, ...rest }: Result): string {
  const line = (what: string, rate: Rate) =>
    `${what.padEnd(34)} ${rate.perSecond.toFixed(0).padStart(8)}/s  ratio ${(rate.perSecond / bare.perSecond).toFixed(2)}  p50 ${rate.p50Ms.toFixed(2)} ms  p99 ${rate.p99Ms.toFixed(2)} ms`;
  return [
    line('bare binary copy, 4096 a batch', bare),
    line('sequencer, 2 callers of 4096', large),
    line('sequencer, 1024 callers of 1', many),
    line('sequencer, 1 caller of 1', one),
    ...Object.entries(rest).map(([name, value]) => `${name.padEnd(34)} ${value.toFixed(2).padStart(8)}`),
    '',
  ].join('\n');
}

/** To bare binary COPY of the same rows in the same run. */
const ratiosOf = ({ bare, large, many }: Awaited<ReturnType<typeof run>>) => ({
  largeOfCopy: large.perSecond / bare.perSecond,
  manyOfCopy: many.perSecond / bare.perSecond,
});

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
try {
  const result = await run(Number(values.seconds), folder);
  process.stdout.write(values.json ? `${JSON.stringify({ ...result, ratios: ratiosOf(result) })}\n` : describe(result));
} finally {
  await rm(folder, { recursive: true, force: true });
}
