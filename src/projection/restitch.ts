import { type Chain, type Recorded, stitch } from '#chains';
import type { Queryable } from '#database';
import { type Assignment, MAX_SET } from './assign.ts';
import { historiesOf, type Members } from './history.ts';
import type { Memory } from './memory.ts';
import { known } from './reading.ts';
import { chainRow, findingRows, hopRows } from './row.ts';
import { deleteChains, insertChains, insertFindings, insertHops, selectMembers } from './sql/chain.ts';

/** Stitches every set that a batch changed anew, some at a time so that memory stays bounded. */
export async function restitch(
  db: Queryable,
  logId: number,
  { arrived, assignment, memory }: { arrived: readonly Recorded[]; assignment: Assignment; memory: Memory },
): Promise<void> {
  const { sets, merged } = assignment;
  if (merged.size > 0) await deleteChains(db, logId, [...merged.keys()]);
  const remembered = gather(arrived, assignment, memory);
  for (const chosen of portionsOf(sets)) {
    const members = await membersOf(db, logId, chosen, { sets, remembered });
    await stitchSets(db, logId, members, sets);
    for (const { set, recorded } of members) memory.keep(set, recorded);
  }
}

function* portionsOf(sets: Assignment['sets']): Generator<readonly bigint[]> {
  let [together, entries]: [bigint[], number] = [[], 0];
  for (const [set, state] of sets) {
    if (entries > 0 && entries + state.entries > MAX_SET) {
      yield together;
      [together, entries] = [[], 0];
    }
    together.push(set);
    entries += state.entries;
  }
  if (together.length > 0) yield together;
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

async function stitchSets(
  db: Queryable,
  logId: number,
  members: readonly Members[],
  states: Assignment['sets'],
): Promise<void> {
  const historyOf = await historiesOf(db, logId, members);
  const stitched = members.flatMap(({ set, recorded }) => {
    const options = { bounded: states.get(set)?.bounded ?? false, history: historyOf(set) };
    return stitch(recorded, options).map((chain) => rowsOf(chain, set));
  });
  await deleteChains(
    db,
    logId,
    members.map(({ set }) => set),
  );
  await insertChains(
    db,
    logId,
    stitched.map(({ chain }) => chain),
  );
  await insertHops(
    db,
    logId,
    stitched.flatMap(({ hops }) => hops),
  );
  await insertFindings(
    db,
    logId,
    stitched.flatMap(({ findings }) => findings),
  );
}

function rowsOf(chain: Chain, set: bigint) {
  const hops = hopRows(chain, set);
  return { chain: chainRow(chain, set, hops), hops, findings: findingRows(chain, set) };
}
