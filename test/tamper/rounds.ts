import assert from 'node:assert/strict';
import type { ClientBase } from 'pg';
import type { Database } from '#database';
import { fsck } from '#ledger';
import { type TestLog, unguarded } from '../ledger/harness.ts';
import { audit } from './log.ts';
import { mutationOf } from './mutation.ts';

export interface Rounds {
  readonly log: TestLog;
  readonly verifierKey: string;
  readonly size: number;
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (round: number) => void;
}

/** Every so many rounds a stranger over HTTP looks too. */
const AUDIT_EVERY = 10;

/** Mutates, demands that fsck finds it and names the first bad index, and mends, so many times. Fails at the first miss. */
export async function mutateRounds({ log, verifierKey, size, rounds, seed, onRound }: Rounds): Promise<void> {
  const { database } = log;
  await unguarded(database, keepAside);
  for (let round = 0; round < rounds; round += 1) {
    const mutation = mutationOf(seed + round, size);
    const says = `seed ${seed + round}: ${mutation.says}`;
    await unguarded(database, (owner) => mutation.apply(owner));
    const { ok, firstDifference } = await fsck({ database, logId: 1 });
    assert.deepEqual([ok, firstDifference?.leafIndex], [false, mutation.firstBad], `${says}: ${firstDifference?.says}`);
    // What was added beyond the published tree is served to nobody: fsck alone sees it.
    if (round % AUDIT_EVERY === 0 && mutation.firstBad < BigInt(size))
      await assert.rejects(audit(log, verifierKey), says);
    await unguarded(database, mend);
    onRound?.(round + 1);
  }
  await sound(database, size);
}

async function sound(database: Database, size: number): Promise<void> {
  const { ok, entries } = await fsck({ database, logId: 1 });
  assert.deepEqual([ok, entries], [true, BigInt(size)], 'the log is what it was before');
}

async function keepAside(owner: ClientBase): Promise<void> {
  for (const table of ['entry', 'tile']) {
    await owner.query(`create table public.kept_${table} as select * from behalf.${table} where log_id = 1`);
  }
}

async function mend(owner: ClientBase): Promise<void> {
  for (const [table, key] of [
    ['entry', 'leaf_index'],
    ['tile', 'level, tile_index'],
  ]) {
    const differing = `(select * from behalf.${table} where log_id = 1 except select * from public.kept_${table})`;
    await owner.query(
      `delete from behalf.${table} where (log_id, ${key}) in (select log_id, ${key} from ${differing} d)`,
    );
    await owner.query(`insert into behalf.${table} select * from public.kept_${table} on conflict do nothing`);
  }
}
