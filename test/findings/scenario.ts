import type { History, PartyBefore, Thresholds } from '#chains';
import { DEFAULT_THRESHOLDS, NO_HISTORY, type StitchOptions } from '#chains';
import type { Play } from './play.ts';

/** What a scenario needs beside its entries. */
export type Setting = Pick<StitchOptions, 'history' | 'thresholds'>;

/** One way to break a rule, and what looks like it and is in order. Both write into a play. */
export interface Scenario {
  readonly rule: string;
  readonly attack: (play: Play) => Setting | undefined;
  readonly benign: (play: Play) => Setting | undefined;
}

export const judgedBy = (changed: Partial<Thresholds>): Setting => ({
  thresholds: { ...DEFAULT_THRESHOLDS, version: 'test-1', ...changed },
});

export const knowing = (changed: Partial<History>): Setting => ({ history: { ...NO_HISTORY, ...changed } });

/** Everybody did the same before. */
export const before = (known: Partial<PartyBefore>): Setting =>
  knowing({
    knowsParties: true,
    partyBefore: () => ({
      firstSeen: '1700000000000000000',
      lastSeen: '1793400000000000000',
      days: 30,
      hosts: [],
      tools: [],
      scopesUsed: [],
      ...known,
    }),
  });
