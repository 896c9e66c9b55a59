import { setImmediate } from 'node:timers/promises';
import { type Chain, type Recorded, stitch } from '#chains';
import type { Queryable } from '#database';
import { type Assignment, MAX_SET } from './assign.ts';
import { historiesOf, type Members } from './history.ts';
import type { Memory } from './memory.ts';
import { known } from './reading.ts';
import { chainRow, findingRows, hopRows } from './row.ts';
import { type SharedCredentialRow, sharedCredentialRows } from './shared-credential.ts';
import { deleteChains, insertStitched, selectMembers } from './sql/chain.ts';
import { insertSharedCredentials } from './sql/shared-credential.ts';
import { thresholdsOf } from './thresholds.ts';

/** Stitches every set that a batch changed anew, some at a time so that memory stays bounded. */
export async function restitch(
  db: Queryable,
  logId: number,
  { arrived, assignment, memory }: { arrived: readonly Recorded[]; assignment: Assignment; memory: Memory },
): Promise<void> {
  const { sets, merged } = assignment;
  await deleteChains(db, logId, [...merged.keys(), ...sets.keys()]);
  const remembered = gather(arrived, assignment, memory);
  for (const chosen of partsOf(sets, MAX_SET, ([, { entries }]) => entries)) {
    const members = await membersOf(
      db,
      logId,
      chosen.map(([set]) => set),
      { sets, remembered },
    );
    await stitchSets(db, logId, members, sets);
    for (const { set, recorded } of members) memory.keep(set, recorded);
  }
}

/** What is known of each changed set without asking: what was remembered of it and of what it swallowed, and what arrived. */
function gather(
  arrived: readonly Recorded[],
  { sets, merged, setOf }: Assignment,
  memory: Memory,
): ReadonlyMap<bigint, Recorded[]> {
  const gathered = new Map([...sets.keys()].map((set) => [set, [...memory.take(set)]]));
  for (const [source, target] of merged) gathered.get(target)?.push(...memory.take(source));
  for (const each of arrived) gathered.get(setOf.get(each.leafIndex) ?? each.leafIndex)?.push(each);
  return gathered;
}

/** The members of these sets: of those not remembered whole, from the ledger. */
async function membersOf(
  db: Queryable,
  logId: number,
  chosen: readonly bigint[],
  { sets, remembered }: { sets: Assignment['sets']; remembered: ReadonlyMap<bigint, readonly Recorded[]> },
): Promise<readonly Members[]> {
  const isWhole = (set: bigint) => remembered.get(set)?.length === sets.get(set)?.entries;
  const missing = chosen.filter((set) => !isWhole(set));
  const rows = missing.length === 0 ? [] : await selectMembers(db, logId, missing);
  const read = Map.groupBy(rows, ({ set }) => set);
  return chosen.map((set) => ({
    set,
    recorded: isWhole(set)
      ? (remembered.get(set) ?? [])
      : (read.get(set) ?? []).map(({ leafIndex, bytes }) => ({ leafIndex, entry: known(bytes) })),
  }));
}

/** Stitches some sets while the database writes what the ones before gave. */
async function stitchSets(
  db: Queryable,
  logId: number,
  members: readonly Members[],
  states: Assignment['sets'],
): Promise<void> {
  const historyOf = await historiesOf(db, logId, members);
  const thresholds = await thresholdsOf(db, logId);
  const shared: SharedCredentialRow[] = [];
  let writing: Promise<void> = Promise.resolve();
  for (const some of partsOf(members, PART, ({ recorded }) => recorded.length)) {
    const stitched = some.flatMap(({ set, recorded }) => {
      const options = { bounded: states.get(set)?.bounded ?? false, history: historyOf(set), thresholds };
      const chains = stitch(recorded, options);
      shared.push(...sharedCredentialRows(chains, set));
      return chains.map((chain) => rowsOf(chain, set));
    });
    await writing;
    writing = insertStitched(db, logId, {
      chains: stitched.map(({ chain }) => chain),
      hops: stitched.flatMap(({ hops }) => hops),
      findings: stitched.flatMap(({ findings }) => findings),
    });
    await Promise.race([writing, setImmediate()]); // it is under way, or has failed
  }
  await writing;
  await insertSharedCredentials(db, logId, shared);
}

/** Most entries that are stitched between two turns of the event loop, unless one set holds more. */
const PART = 250;

/** Cuts a list so that each part weighs no more than this, or is one alone. */
function* partsOf<T>(list: Iterable<T>, most: number, weigh: (each: T) => number): Generator<readonly T[]> {
  let [part, weight]: [T[], number] = [[], 0];
  for (const each of list) {
    if (weight > 0 && weight + weigh(each) > most) {
      yield part;
      [part, weight] = [[], 0];
    }
    part.push(each);
    weight += weigh(each);
  }
  if (part.length > 0) yield part;
}

function rowsOf(chain: Chain, set: bigint) {
  const hops = hopRows(chain, set);
  return { chain: chainRow(chain, set, hops), hops, findings: findingRows(chain, set) };
}
