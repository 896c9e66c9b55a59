import { joinKeysOf, type Recorded } from '#chains';
import { type Database, type Queryable, transaction } from '#database';
import { type Arrival, type Assignment, assign } from './assign.ts';
import { keyHash } from './key-hash.ts';
import { Memory } from './memory.ts';
import { partyFactRows } from './party-fact.ts';
import { type Batch, type Reading, readBatch } from './reading.ts';
import { restitch } from './restitch.ts';
import { partyRows } from './row.ts';
import {
  insertProjectedEntries,
  selectKeys,
  selectProjectedIds,
  selectSets,
  writeAssignment,
} from './sql/assignment.ts';
import { insertParties } from './sql/chain.ts';
import { upsertPartyFacts } from './sql/party-fact.ts';
import { insertUnread, lockPosition, updatePosition } from './sql/position.ts';

export type { Batch } from './reading.ts';

export interface Step {
  readonly position: bigint;
  readonly unread: Reading['unread'];
}

/**
 * Takes one batch into the projection, all of it or nothing: rows and position change in one transaction, so that a crash on
 * any line leaves the step before. When another follower took it meanwhile, nothing is written and its position is returned.
 */
export async function takeIn(
  database: Database,
  logId: number,
  batch: Batch,
  memory: Memory = new Memory(),
): Promise<Step> {
  try {
    return await transaction(database.pool('projector'), (client) => takeInto(client, logId, batch, memory));
  } catch (error) {
    memory.forgetAll();
    throw error;
  }
}

/** takeIn inside a transaction of the caller's. */
export async function takeInto(client: Queryable, logId: number, batch: Batch, memory: Memory): Promise<Step> {
  const position = await lockPosition(client, logId);
  memory.standAt(position);
  const [first] = batch;
  if (first === undefined || first.leafIndex !== position) return { position, unread: [] };
  const { entries, unread } = await unseen(client, logId, readBatch(batch));
  const assignment = await assignBatch(client, logId, entries);
  await upsertPartyFacts(client, logId, partyFactRows(entries));
  await restitch(client, logId, { arrived: entries, assignment, memory });
  await insertParties(client, logId, partyRows(entries.map(({ entry }) => entry)));
  await insertUnread(client, logId, unread);
  const next = position + BigInt(batch.length);
  await updatePosition(client, logId, next);
  memory.moveTo(next);
  return { position: next, unread };
}

/** Without repeated observation ids: the first in the log counts, as in stitching. */
async function unseen(db: Queryable, logId: number, { entries, unread }: Reading): Promise<Reading> {
  const seen = new Set(
    await selectProjectedIds(
      db,
      logId,
      entries.map(({ entry }) => entry.id),
    ),
  );
  const fresh: Recorded[] = [];
  for (const each of entries) {
    if (!seen.has(each.entry.id)) fresh.push(each);
    seen.add(each.entry.id);
  }
  return { entries: fresh, unread };
}

async function assignBatch(db: Queryable, logId: number, entries: readonly Recorded[]): Promise<Assignment> {
  const arrivals = arrivalsOf(entries);
  const named = [...new Set(arrivals.flatMap(({ keys }) => keys.map(({ key }) => key)))];
  const keys = await selectKeys(db, logId, named);
  const sets = await selectSets(db, logId, [...new Set([...keys.values()].map(({ set }) => set))]);
  const assignment = assign(arrivals, { keys, sets });
  await writeAssignment(db, logId, assignment);
  const placed = entries.map(({ leafIndex, entry }) => ({
    leafIndex,
    observationId: entry.id,
    set: assignment.setOf.get(leafIndex) ?? leafIndex,
  }));
  await insertProjectedEntries(db, logId, placed);
  return assignment;
}

/** Entries of one batch share most keys: each is hashed once. */
function arrivalsOf(entries: readonly Recorded[]): readonly Arrival[] {
  const hashes = new Map<string, string>();
  const hashOf = (kind: string, value: string): string => {
    const text = `${kind} ${value}`;
    const hash = hashes.get(text) ?? keyHash(kind, value);
    hashes.set(text, hash);
    return hash;
  };
  return entries.map(({ leafIndex, entry }) => ({
    leafIndex,
    keys: joinKeysOf(entry).map(({ kind, value }) => ({ kind, key: hashOf(kind, value) })),
  }));
}
