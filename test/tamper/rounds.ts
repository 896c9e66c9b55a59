import assert from 'node:assert/strict';
import type { ClientBase } from 'pg';
import { type Database, transaction } from '#database';
import { fsck } from '#ledger';
import { checkProjection } from '#projection';
import type { TestLog } from '../ledger/harness.ts';
import { audit } from './log.ts';
import { type Mutation, mutationOf } from './mutation.ts';
import { StoredLog } from './stored-log.ts';
import { KEEP_ASIDE } from './table-mutation.ts';

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

/** Mutates, demands that the check finds it and names the first bad index, and mends, so many times. Fails at the first miss. */
export async function mutateRounds({ log, verifierKey, size, rounds, seed, onRound }: Rounds): Promise<void> {
  const { database } = log;
  const stored = await inOwnHands(database, async (owner) => {
    for (const table of GUARDED) await owner.query(`alter table behalf.${table} disable trigger user`);
    await owner.query(KEEP_ASIDE);
    return StoredLog.read(owner);
  });
  assert.equal(stored.size, size);
  for (let round = 0; round < rounds; round += 1) {
    const mutation = mutationOf(seed + round, stored);
    const says = `seed ${seed + round}: ${mutation.says}`;
    await inOwnHands(database, (owner) => mutation.apply(owner));
    assert.deepEqual(await foundBy(mutation.found.by, database, verifierKey), mutation.found, says);
    if (round % AUDIT_EVERY === 0 && mutation.isServed) await assert.rejects(audit(log, verifierKey), says);
    await inOwnHands(database, (owner) => mutation.mend(owner));
    onRound?.(round + 1);
  }
  assert.equal((await fsck({ database, logId: 1, verifierKey })).ok, true, 'the log is what it was before');
  assert.equal((await checkProjection({ database, logId: 1 })).ok, true, 'what queries show is, too');
}

/** What the check tells first; nothing at all where it finds nothing. */
async function foundBy(
  by: Mutation['found']['by'],
  database: Database,
  verifierKey: string,
): Promise<Mutation['found'] | undefined> {
  if (by === 'fsck') {
    const { ok, firstDifference: first } = await fsck({ database, logId: 1, verifierKey });
    return ok || first === undefined ? undefined : { by, kind: first.kind, leafIndex: first.leafIndex };
  }
  const { ok, firstDifference: first } = await checkProjection({ database, logId: 1 });
  if (ok || first === undefined) return undefined;
  return { by, kind: first.says.split(' ')[0] ?? '', leafIndex: first.leafIndex };
}

const GUARDED = ['log', 'entry_bundle', 'id_bucket', 'tile', 'checkpoint'];

/** One transaction of the owner's, whose triggers are off: what is left are constraints, and those hold for whoever forges well. */
const inOwnHands = <T>(database: Database, run: (owner: ClientBase) => Promise<T>): Promise<T> =>
  transaction(database.pool('owner'), run);
