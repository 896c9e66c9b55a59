import { type Chain, joinKeysOf, type Recorded, stitch } from '#chains';
import { type Database, type Queryable, transaction } from '#database';
import { type Entry, ObservationError, parseEntry } from '#observation';
import { type Arrival, type Assignment, assign, MAX_SET } from './assign.ts';
import { historiesOf } from './history.ts';
import { keyHash } from './key-hash.ts';
import { partyFactRows } from './party-fact.ts';
import { chainRow, findingRows, hopRows, partyRows } from './row.ts';
import {
  insertProjectedEntries,
  selectKeys,
  selectProjectedIds,
  selectSets,
  writeAssignment,
} from './sql/assignment.ts';
import { deleteChains, insertChains, insertFindings, insertHops, insertParties, selectMembers } from './sql/chain.ts';
import { upsertPartyFacts } from './sql/party-fact.ts';
import { insertUnread, lockPosition, updatePosition } from './sql/position.ts';

/** Entries as the ledger holds them, in order, none left out. */
export type Batch = readonly { readonly leafIndex: bigint; readonly bytes: Uint8Array }[];

interface Reading {
  readonly entries: readonly Recorded[];
  readonly unread: readonly { readonly leafIndex: bigint; readonly reason: string }[];
}

export interface Step {
  readonly position: bigint;
  readonly unread: Reading['unread'];
}

/**
 * Takes one batch into the projection, all of it or nothing: rows and position change in one transaction, so that a crash on
 * any line leaves the step before. When another follower took it meanwhile, nothing is written and its position is returned.
 */
export async function takeIn(database: Database, logId: number, batch: Batch): Promise<Step> {
  return transaction(database.pool('projector'), (client) => takeInto(client, logId, batch));
}

/** takeIn inside a transaction of the caller's. */
export async function takeInto(client: Queryable, logId: number, batch: Batch): Promise<Step> {
  const position = await lockPosition(client, logId);
  const [first] = batch;
  if (first === undefined || first.leafIndex !== position) return { position, unread: [] };
  const reading = await unseen(client, logId, read(batch));
  const assignment = await assignBatch(client, logId, reading.entries);
  await upsertPartyFacts(client, logId, partyFactRows(reading.entries));
  await restitch(client, logId, assignment);
  await insertParties(client, logId, partyRows(reading.entries.map(({ entry }) => entry)));
  await insertUnread(client, logId, reading.unread);
  const next = position + BigInt(batch.length);
  await updatePosition(client, logId, next);
  return { position: next, unread: reading.unread };
}

/** An entry of another schema's making does not stop the others: it is counted, and stays in the ledger. */
function read(batch: Batch): Reading {
  const entries: Recorded[] = [];
  const unread: { leafIndex: bigint; reason: string }[] = [];
  for (const { leafIndex, bytes } of batch) {
    try {
      entries.push({ leafIndex, entry: parseEntry(bytes) });
    } catch (error) {
      if (!(error instanceof ObservationError)) throw error;
      unread.push({ leafIndex, reason: error.message });
    }
  }
  return { entries, unread };
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
  const arrivals = entries.map(arrivalOf);
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

const arrivalOf = ({ leafIndex, entry }: Recorded): Arrival => ({
  leafIndex,
  keys: joinKeysOf(entry).map(({ kind, value }) => ({ kind, key: keyHash(kind, value) })),
});

/** Stitches every set that changed anew, a few at a time so that memory stays bounded. */
async function restitch(db: Queryable, logId: number, { sets, merged }: Assignment): Promise<void> {
  if (merged.size > 0) await deleteChains(db, logId, [...merged.keys()]);
  let together: bigint[] = [];
  let entries = 0;
  for (const [set, state] of sets) {
    if (entries > 0 && entries + state.entries > MAX_SET) {
      await stitchSets(db, logId, together, sets);
      [together, entries] = [[], 0];
    }
    together.push(set);
    entries += state.entries;
  }
  if (together.length > 0) await stitchSets(db, logId, together, sets);
}

async function stitchSets(
  db: Queryable,
  logId: number,
  chosen: readonly bigint[],
  states: Assignment['sets'],
): Promise<void> {
  const members = Map.groupBy(await selectMembers(db, logId, chosen), (member) => member.set);
  const sets = chosen.map((set) => ({
    set,
    recorded: (members.get(set) ?? []).map(({ leafIndex, bytes }) => ({ leafIndex, entry: known(bytes) })),
  }));
  const historyOf = await historiesOf(db, logId, sets);
  const stitched = sets.flatMap(({ set, recorded }) => {
    const options = { bounded: states.get(set)?.bounded ?? false, history: historyOf(set) };
    return stitch(recorded, options).map((chain): readonly [Chain, bigint] => [chain, set]);
  });
  await deleteChains(db, logId, chosen);
  await insertChains(
    db,
    logId,
    stitched.map(([chain, set]) => chainRow(chain, set)),
  );
  await insertHops(
    db,
    logId,
    stitched.flatMap(([chain, set]) => hopRows(chain, set)),
  );
  await insertFindings(
    db,
    logId,
    stitched.flatMap(([chain, set]) => findingRows(chain, set)),
  );
}

/** Bytes whose entry was read and checked when it was projected: ledger entries do not change. */
const known = (bytes: Uint8Array): Entry => JSON.parse(Buffer.from(bytes).toString('utf8')) as Entry;
