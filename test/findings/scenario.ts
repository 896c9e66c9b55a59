import type { PartyBefore, Thresholds } from '#chains';
import { DEFAULT_THRESHOLDS, NO_HISTORY, type StitchOptions } from '#chains';
import type { Play } from './play.ts';

/** What a scenario needs beside its entries. `past`: what every machine in it did before, of which the history tells. */
export type Setting = Pick<StitchOptions, 'history' | 'thresholds'> & { readonly past?: PartyBefore };

/** One way to break a rule, and what looks like it and is in order. Both write into a play. */
export interface Scenario {
  readonly rule: string;
  readonly attack: (play: Play) => Setting | undefined;
  readonly benign: (play: Play) => Setting | undefined;
}

export const judgedBy = (changed: Partial<Thresholds>): Setting => ({
  thresholds: { ...DEFAULT_THRESHOLDS, version: 'test-1', ...changed },
});

/** Everybody did the same before. */
export function before(known: Partial<PartyBefore>): Setting {
  const past: PartyBefore = {
    firstSeen: '1700000000000000000',
    lastSeen: '1793400000000000000',
    days: 30,
    hosts: [],
    tools: [],
    scopesUsed: [],
    ...known,
  };
  return { history: { ...NO_HISTORY, knowsParties: true, partyBefore: () => past }, past };
}
