import { type Ending, type History, type PartyBefore, partyKey, type Recorded } from '#chains';
import type { Queryable } from '#database';
import { type EntryParty, type HopEntry, isPersonal } from '#observation';
import { searchable } from './searchable.ts';
import { type AskedEnding, type EndingRow, selectEndings } from './sql/ending.ts';
import { type Asked, MOST_FACTS, type PastRow, selectPast } from './sql/history.ts';

/** A set of entries about to be stitched; `set` is its smallest leaf index. */
export interface Members {
  readonly set: bigint;
  readonly recorded: readonly Recorded[];
}

/**
 * What was known before each set began: facts of earlier entries alone, so that a rebuild judges alike. That a party was
 * offboarded counts when it was said before the last entry of the set; what is said of its tokens is in the set itself.
 */
export async function historiesOf(
  db: Queryable,
  logId: number,
  sets: readonly Members[],
): Promise<(set: bigint) => History> {
  const asked = sets.flatMap(({ set, recorded }) =>
    machinesIn(recorded).map((party): Asked => ({ party, before: set })),
  );
  const past = new Map(
    (await selectPast(db, logId, asked)).map((row) => [`${row.before} ${row.party}`, partyBefore(row)]),
  );
  const endings = await endingsOf(db, logId, sets);
  return (set) => ({
    knowsParties: true,
    partyBefore: (key) => past.get(`${set} ${searchable(key)}`),
    endedParties: endings.get(set) ?? new Map(),
    endedTokens: new Map(),
  });
}

/** By set: when the parties in it were offboarded or came back. */
async function endingsOf(
  db: Queryable,
  logId: number,
  sets: readonly Members[],
): Promise<ReadonlyMap<bigint, History['endedParties']>> {
  const asked = sets.map(({ set, recorded }) => ({ set, ...askedOf(recorded) }));
  const rows = Map.groupBy(
    await selectEndings(
      db,
      logId,
      asked.flatMap(({ endings }) => endings),
    ),
    ({ party, before }) => `${before} ${party}`,
  );
  if (rows.size === 0) return new Map();
  return new Map(
    asked.map(({ set, before, keys }) => [
      set,
      new Map(
        keys.flatMap((key): [string, Ending[]][] => {
          const said = rows.get(`${before} ${searchable(key)}`);
          return said === undefined ? [] : [[key, said.map(endingOf)]];
        }),
      ),
    ]),
  );
}

const endingOf = ({ time, effect, leafIndex }: EndingRow): Ending => ({
  time: String(BigInt(time)),
  effect,
  leafIndex,
});

/** Every party in a set, and up to which entry and moment its end counts there. */
function askedOf(recorded: readonly Recorded[]) {
  const hops = recorded.flatMap(({ entry }) => (entry.kind === 'hop' ? [entry] : []));
  const keys = [...new Set(hops.flatMap(actingFor).map(partyKey))];
  const before = recorded.reduce((last, { leafIndex }) => (leafIndex > last ? leafIndex : last), 0n);
  const until = hops.reduce((last, { time }) => (BigInt(time) > last ? BigInt(time) : last), 0n);
  const endings = keys.map((key): AskedEnding => ({ party: searchable(key), before, until }));
  return { keys, before, endings };
}

const actingFor = ({ subject, actors }: HopEntry): readonly EntryParty[] =>
  subject === undefined ? actors : [subject, ...actors];

/** Parties that act and are no persons. */
function machinesIn(recorded: readonly Recorded[]): readonly string[] {
  const parties = recorded.flatMap(({ entry }) =>
    entry.kind === 'hop' ? (entry.actors.at(-1) ?? entry.subject ?? []) : [],
  );
  return [...new Set(parties.filter((party) => !isPersonal(party)).map((party) => searchable(partyKey(party))))];
}

function partyBefore({ firstDay, lastDay, days, hosts, tools, scopesUsed }: PastRow): PartyBefore {
  return {
    firstSeen: String(startOf(firstDay)),
    lastSeen: String(startOf(lastDay) + DAY - 1n), // at the latest
    days,
    hosts: all(hosts),
    tools: all(tools),
    scopesUsed: all(scopesUsed),
  };
}

const DAY = 86_400_000_000_000n;
const startOf = (day: string): bigint => BigInt(Date.parse(`${day}T00:00:00Z`)) * 1_000_000n;

/** A list too long to be read whole is no habit. */
const all = (values: readonly string[]): readonly string[] => (values.length > MOST_FACTS ? [] : values);
