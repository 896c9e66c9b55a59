/**
 * What rules know from before a chain. A pure value handed in: who has no history says nothing of habits, and a rule that
 * rests on one stays silent. Times are decimal unix nanoseconds.
 */
export interface History {
  /** What a party, by its exact key, did before. */
  readonly partyBefore: (partyKey: string) => PartyBefore | undefined;
  /** When a party was offboarded. */
  readonly offboardedAt: (partyKey: string) => string | undefined;
  /** When a token, by its digest, was revoked. */
  readonly revokedAt: (digest: string) => string | undefined;
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

export const NO_HISTORY: History = {
  partyBefore: () => undefined,
  offboardedAt: () => undefined,
  revokedAt: () => undefined,
};
