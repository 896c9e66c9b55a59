import { join } from 'node:path';
import type { Database } from '#database';
import { openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { reindex } from '#projection';
import { delegatedCall, Entries } from '../../chains/entries.ts';
import { observationsOf } from '../../query/api.ts';
import { bareCopy } from '../ingest/bare-copy.ts';
import { ENTRIES_PER_CHAIN, LOG } from './fill.ts';

const AT_ONCE = 4_096;

export interface Followed {
  readonly entries: number;
  readonly hops: number;
  readonly seconds: number;
  readonly entriesPerSecond: number;
  readonly hopsPerSecond: number;
  readonly nodeMicrosPerHop: number; // of all its threads
  readonly copyPerSecond: number;
  readonly ofCopy: number;
}

/**
 * Real entries through the ledger, of chains of which `open` are under way at a time, so that steps cut them apart; then the
 * projection is built from them by its own code, against a bare binary COPY of the same bytes.
 */
export async function follow(
  database: Database,
  folder: string,
  { chains, open, seed, seconds }: { chains: number; open: number; seed: number; seconds: number },
): Promise<Followed> {
  await appendChains(database, folder, { chains, open, seed });
  await reindex({ database, logId: LOG }); // warm
  const cpu = process.cpuUsage();
  const from = performance.now();
  const entries = Number(await reindex({ database, logId: LOG }));
  const taken = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const { rows } = await database.pool('reader').query<{ count: string }>('select count(*) from behalf.hop');
  const hops = Number(rows[0]?.count);
  const bytes = (await openLogReader({ database, logId: LOG }).entries(0n, 2_048)).map((each) => each.bytes);
  const copyPerSecond = await bareCopy(database, bytes, seconds);
  return {
    entries,
    hops,
    seconds: taken,
    entriesPerSecond: entries / taken,
    hopsPerSecond: hops / taken,
    nodeMicrosPerHop: (user + system) / hops,
    copyPerSecond,
    ofCopy: entries / taken / copyPerSecond,
  };
}

async function appendChains(
  database: Database,
  folder: string,
  { chains, open, seed }: { chains: number; open: number; seed: number },
): Promise<void> {
  const entries = new Entries();
  for (let n = 1; n <= chains; n += 1) delegatedCall(entries, n + seed * 1_000_000);
  const ordered = inTurns(entries.all, open);
  const observations = observationsOf(ordered).map((each, i) => ({ ...each, id: idOf(i) }));
  const ledger = await openLedger({ database, keyFolder: join(folder, 'keys'), onAlarm: () => undefined });
  for (let at = 0; at < observations.length; at += AT_ONCE) await ledger.append(observations.slice(at, at + AT_ONCE));
  await ledger.close();
}

/** One entry of each of `open` chains in turn, then of the next ones. */
function inTurns<T>(all: readonly T[], open: number): readonly T[] {
  const ordered: T[] = [];
  for (let group = 0; group < all.length; group += open * ENTRIES_PER_CHAIN)
    for (let step = 0; step < ENTRIES_PER_CHAIN; step += 1)
      for (let chain = 0; chain < open; chain += 1) {
        const each = all[group + chain * ENTRIES_PER_CHAIN + step];
        if (each !== undefined) ordered.push(each);
      }
  return ordered;
}

/** A hundred ids in each millisecond, as a busy log has them. */
function idOf(i: number): string {
  const time = (0x019a_0000_0000 + Math.floor(i / 100)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${i.toString(16).padStart(12, '0')}`;
}
