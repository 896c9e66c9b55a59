import type { Recorded } from './chain.ts';
import { compare, groupBy } from './order.ts';
import { partyKey } from './party-key.ts';

/**
 * What rules know from before a chain. A pure value handed in: who has no history says nothing of habits, and a rule that
 * rests on one stays silent. Times are decimal unix nanoseconds.
 */
export interface History {
  /** False when nothing is known of any party. */
  readonly knowsParties: boolean;
  /** What a party, by its exact key, did before. */
  readonly partyBefore: (partyKey: string) => PartyBefore | undefined;
  /** By party key: when it was offboarded, and when it came back. */
  readonly endedParties: ReadonlyMap<string, readonly Ending[]>;
  /** By token digest: when it was revoked. */
  readonly endedTokens: ReadonlyMap<string, readonly Ending[]>;
}

/** An entry that says from when on a party or token holds no longer, or holds again. */
export interface Ending {
  readonly time: string;
  readonly effect: 'revoked' | 'restored';
  readonly leafIndex: string; // decimal
}

export interface PartyBefore {
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** On how many days it was seen; a count that is high enough for every rule may stand for any higher one. */
  readonly days: number;
  /** Network hosts its calls came from. */
  readonly hosts: readonly string[];
  /** Operations of the tools it called. */
  readonly tools: readonly string[];
  /** Scopes that boundaries required of it. */
  readonly scopesUsed: readonly string[];
}

const NONE: ReadonlyMap<string, readonly Ending[]> = new Map();

export const NO_HISTORY: History = {
  knowsParties: false,
  partyBefore: () => undefined,
  endedParties: NONE,
  endedTokens: NONE,
};

/** History with what the entries of the set itself say of revoked tokens and parties. */
export function withEndings(history: History, recorded: readonly Recorded[]): History {
  const said = recorded.flatMap(({ leafIndex, entry }) =>
    entry.kind === 'revocation'
      ? [
          {
            target: entry.target,
            ending: { time: entry.time, effect: entry.effect, leafIndex: String(leafIndex) },
          },
        ]
      : [],
  );
  if (said.length === 0) return history;
  const parties = said.flatMap(({ target, ending }) =>
    'party' in target ? [{ key: partyKey(target.party), ending }] : [],
  );
  const tokens = said.flatMap(({ target, ending }) => ('token' in target ? [{ key: target.token, ending }] : []));
  return {
    ...history,
    endedParties: joined(history.endedParties, parties),
    endedTokens: joined(history.endedTokens, tokens),
  };
}

interface Said {
  readonly key: string;
  readonly ending: Ending;
}

function joined(known: History['endedParties'], more: readonly Said[]): History['endedParties'] {
  const all = [...known].flatMap(([key, endings]) => endings.map((ending): Said => ({ key, ending })));
  return new Map(
    [...groupBy([...all, ...more], ({ key }) => key)].map(([key, said]) => [key, said.map(({ ending }) => ending)]),
  );
}

/** What holds at a moment, of statements in any order: the last one before it; where two are of one moment, the later entry. */
export function endedBefore(endings: readonly Ending[], moment: bigint): Ending | undefined {
  const last = endings
    .filter(({ time }) => BigInt(time) < moment)
    .toSorted((a, b) => compare(orderOf(a), orderOf(b)))
    .at(-1);
  return last?.effect === 'revoked' ? last : undefined;
}

const orderOf = ({ time, leafIndex }: Ending): string => time.padStart(20, '0') + leafIndex.padStart(20, '0');
