/**
 * Every number and list that a rule judges by, in one place. A tenant may have its own; `version` names the set that judged
 * and stands in every finding, so change it with any value.
 */
export interface Thresholds {
  readonly version: string;
  /** How far two clocks may be apart before a time counts as violated. */
  readonly clockSkewSeconds: number;
  /** The longest time from issue to expiry, or from issue to use where there is no expiry, of a credential that is no person's own. */
  readonly longestLifetimeHours: number;
  /** Most actors one delegation may name. */
  readonly mostActors: number;
  /** Most crossings one after the other. */
  readonly mostCrossings: number;
  /** How often one path may come back to the same operation on the same resource of the same service. */
  readonly mostReturns: number;
  /** A party that is no person and was silent for longer is dormant. */
  readonly dormantDays: number;
  /** A scope that was held for as long and never required is unused. */
  readonly unusedDays: number;
  /** Fewest earlier days of use from which a habit is concluded. */
  readonly enoughDays: number;
  /** A party seen at more network hosts than this has no usual place. */
  readonly mostHosts: number;
  /** The audiences each service answers to; a service that is not listed is not judged by it. */
  readonly audiences: Readonly<Record<string, readonly string[]>>;
  /** What a later authority of the same subject and issuer may not widen. Audiences and lifetimes are often meant to change. */
  readonly governed: readonly Dimension[];
  /** The issuers that are trusted; empty: not judged by it. */
  readonly issuers: readonly string[];
  /** A step that requires one of these scopes needs a person's approval before it. */
  readonly privilegedScopes: readonly string[];
  /** The operations by which a person approves. */
  readonly approvalOperations: readonly string[];
}

/** What an authority is bounded by, and is compared in along a chain. */
export const DIMENSIONS = ['scope', 'purpose', 'audience', 'expiry'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** What judges where nobody set anything: nothing is assumed of audiences, issuers and privileges. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  version: 'default-2',
  clockSkewSeconds: 60,
  longestLifetimeHours: 24,
  mostActors: 8,
  mostCrossings: 32,
  mostReturns: 1,
  dormantDays: 60,
  unusedDays: 30,
  enoughDays: 7,
  mostHosts: 8,
  governed: ['scope', 'purpose'],
  audiences: {},
  issuers: [],
  privilegedScopes: [],
  approvalOperations: ['approve'],
};
