import type { Database } from '#database';
import { fsck } from '#ledger';
import { openLogReader } from '#ledger/read';
import { checkIds, Found } from '../../../src/ledger/check-range.ts';
import { entryId } from '../../../src/ledger/entry-id.ts';
import { idKey, KnownIds } from '../../../src/ledger/known-ids.ts';
import { leavesOf } from '../../../src/ledger/recompute.ts';
import { entriesOf, type Run, selectRuns } from '../../../src/ledger/sql/entry.ts';
import { selectIdBuckets } from '../../../src/ledger/sql/id-bucket.ts';
import { ENTRY_BYTES } from './entries.ts';
import { measure } from './measure.ts';

export interface OnDisk {
  readonly entries: number;
  readonly bytes: number;
}

/** Everything that is the ledger's, with its indexes and what was not cleaned up yet. */
export async function onDisk(database: Database): Promise<OnDisk> {
  const { rows } = await database.pool('owner').query<{ bytes: string; entries: string }>(
    `select sum(pg_total_relation_size(c.oid)) as bytes, (select size from behalf.log where log_id = 1) as entries
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'behalf' and c.relkind = 'r'`,
  );
  return { entries: Number(rows[0]?.entries), bytes: Number(rows[0]?.bytes) };
}

/** Bytes for each entry between two looks, beyond the entry's own. */
export const overhead = (before: OnDisk, after: OnDisk): number =>
  (after.bytes - before.bytes) / (after.entries - before.entries) - ENTRY_BYTES;

/** Proofs of entries anywhere in the log, full tiles cached as a server does. */
export async function proofP99Ms(database: Database, seconds: number): Promise<number> {
  const reader = openLogReader({ database, logId: 1 });
  const { size } = await reader.log();
  const { p99Ms } = await measure(seconds, 1, async () => {
    const proof = await reader.prove(BigInt(Math.floor(Math.random() * Number(size))));
    if (proof === undefined) throw new Error('an entry is not published');
    return 1;
  });
  return p99Ms;
}

/** Entries per second from the database, on all cores, as `behalf fsck` does. */
export async function fsckPerSecond(database: Database): Promise<number> {
  const before = performance.now();
  const report = await fsck({ database, logId: 1 });
  if (!report.ok) throw new Error(`the benchmark's log is not sound: ${report.firstDifference?.says}`);
  return Number(report.entries) / ((performance.now() - before) / 1000);
}

const IN_MEMORY = 32_768;

/**
 * What fsck does with entries once they are read: leaf hashes, the tree, ids; one thread. Per second of the clock, and per
 * second of processor time, which others on the machine do not take.
 */
export async function fsckFromMemory(database: Database, seconds: number) {
  const db = database.pool('reader');
  const runs = await selectRuns(db, 1, 0n, IN_MEMORY);
  const known = new KnownIds(2 * IN_MEMORY);
  const missing = known.missing(runs.flatMap(entriesOf).map(({ bytes }) => idKey(entryId(bytes) ?? '')));
  known.learn(missing, await selectIdBuckets(db, 1, missing));
  recompute(runs, known);
  const cpu = process.cpuUsage();
  const { perSecond } = await measure(seconds, 1, async () => recompute(runs, known));
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond, perCoreSecond: (perSecond * seconds) / ((user + system) / 1_000_000) };
}

function recompute(runs: readonly Run[], known: KnownIds): number {
  const found = new Found({ from: 0n, sizes: [] });
  for (const run of runs) {
    found.add(leavesOf(run));
    checkIds(run, 0n, known);
  }
  found.result();
  return IN_MEMORY;
}
