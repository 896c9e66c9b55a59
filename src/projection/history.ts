import { type History, NO_HISTORY, type PartyBefore, partyKey, type Recorded } from '#chains';
import type { Queryable } from '#database';
import { isPersonal } from '#observation';
import { searchable } from './searchable.ts';
import { type Asked, MOST_FACTS, type PastRow, selectPast } from './sql/history.ts';

/** A set of entries about to be stitched; `set` is its smallest leaf index. */
export interface Members {
  readonly set: bigint;
  readonly recorded: readonly Recorded[];
}

/**
 * What was known before each set began: facts of earlier entries alone, so that a rebuild judges alike. When somebody was
 * offboarded or a token revoked is not among the entries yet: rules that rest on it say nothing.
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
  return (set) => ({ ...NO_HISTORY, knowsParties: true, partyBefore: (key) => past.get(`${set} ${searchable(key)}`) });
}

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
