import type {
  BoundaryGap,
  Chain,
  Completeness,
  Direction,
  Finding,
  Hop,
  Origin,
  PossibleReach,
  PossibleSource,
  PossibleStop,
  Reach,
  Verdict,
} from '#chains';
import type { EntryParty } from '#observation';

/**
 * A party as a reader sees it. `key` names it exactly: `type|issuer|id` or a person's `ref`. `id` is null when the
 * person was erased or the reader may not open it.
 */
export interface PartyView {
  readonly key: string;
  readonly type: EntryParty['type'];
  readonly issuer: string | null;
  readonly basis: EntryParty['basis'];
  readonly id: string | null;
}

/** `GET /api/v1/chains/{id}` */
export interface ChainAnswer {
  readonly chain: Chain<PartyView>;
  /** The ledger the answer rests on: the projection had followed it up to `treeSize`. */
  readonly log: LogPosition;
}

export interface LogPosition {
  readonly origin: string;
  readonly treeSize: string; // decimal: entries this answer takes account of
  readonly published: string; // decimal: entries under the last signed checkpoint
}

/** `GET /api/v1/log` */
export interface LogAnswer {
  readonly origin: string;
  readonly verifierKey: string;
  readonly size: string; // decimal: entries sequenced
  readonly published: string; // decimal: entries under the last signed checkpoint
  readonly projected: string; // decimal: entries that chains take account of
}

/** `GET /api/v1/log/hand-overs`: how each key of the log handed it to the next, oldest first. */
export interface HandOversAnswer {
  readonly handOvers: readonly {
    readonly leafIndex: string; // decimal: the entry that says so
    readonly note: string; // signed by both keys
  }[];
}

/** One row of `GET /api/v1/chains`. */
export interface ChainSummary {
  readonly id: string;
  readonly from: string; // unix nanoseconds, decimal
  readonly to: string;
  readonly subject: PartyView | null;
  readonly actors: readonly PartyView[];
  readonly services: readonly string[];
  readonly hops: number;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly findings: readonly string[]; // rule ids
  readonly completeness: Completeness;
  readonly traceIds: readonly string[];
}

/** `GET /api/v1/chains`: newest first, keyset pagination. */
export interface ChainsAnswer {
  readonly chains: readonly ChainSummary[];
  readonly next: string | null; // cursor
  readonly log: LogPosition;
}

/** `GET /api/v1/hops`: newest first, keyset pagination. */
export interface HopsAnswer {
  readonly hops: readonly HopInChain[];
  readonly next: string | null;
  readonly log: LogPosition;
}

export interface HopInChain {
  readonly chain: string; // chain id
  readonly hop: Hop<PartyView>;
}

/** `GET /api/v1/findings`: of the newest chains first, keyset pagination. */
export interface FindingsAnswer {
  readonly findings: readonly FindingInChain[];
  readonly next: string | null;
  readonly log: LogPosition;
}

export interface FindingInChain {
  readonly chain: string; // chain id
  readonly time: string; // unix nanoseconds, decimal: of the chain's first claim
  readonly finding: Finding;
}

/** `GET /api/v1/parties`: agents, services and devices in order of their key, keyset pagination. */
export interface PartiesAnswer {
  readonly parties: readonly KnownParty[];
  readonly next: string | null;
  readonly log: LogPosition;
}

/** What is known of a party that is no person, from its use; lists hold the newest first, at most 50. */
export interface KnownParty {
  readonly key: string;
  readonly type: string;
  readonly issuer: string | null;
  readonly id: string | null;
  readonly firstSeen: string; // unix nanoseconds, decimal
  readonly lastSeen: string;
  readonly days: number; // on which it was seen
  readonly onBehalfOf: readonly string[]; // party keys, persons by reference
  readonly services: readonly string[]; // that act under this identity
  readonly targets: readonly string[]; // services it called
  readonly hosts: readonly string[];
  readonly tools: readonly string[];
  readonly scopesHeld: readonly string[];
  readonly scopesUsed: readonly string[];
  readonly scopesUnused: readonly string[];
  /** SHA-256 of credentials that hold for longer than a day; never the credential. */
  readonly credentials: readonly string[];
  /** Ids of the keys its tokens are signed with. */
  readonly keys: readonly string[];
  /** Which of its credentials others present too. */
  readonly sharedCredentials: readonly SharedCredential[];
  /** Since when it is offboarded: unix nanoseconds, decimal; null when it is not. */
  readonly revokedAt: string | null;
}

export interface SharedCredential {
  readonly digest: string; // 64 hex
  readonly parties: readonly string[]; // keys of all that present it
  readonly workloads: readonly string[]; // services that do
}

/** `GET /api/v1/parties/{key}/blast-radius` */
export interface BlastRadiusAnswer {
  readonly origin: { readonly kind: Origin['kind']; readonly key: string };
  readonly direction: Direction;
  readonly actual: Reach<PartyView>;
  /** Over observed use; null backwards. */
  readonly possible: Pick<PossibleReach, 'reached' | 'stopped'> | null;
  /** Over observed use; null forward. */
  readonly possibleSources: {
    readonly sources: readonly PossibleSource<PartyView>[];
    readonly stopped: readonly PossibleStop[];
    readonly complete: boolean;
  } | null;
  readonly boundaryGaps: readonly BoundaryGap[];
  readonly completeness: { readonly bounded: boolean; readonly says: string };
  readonly log: LogPosition;
}

/** `GET /readyz` */
export interface ReadyAnswer {
  readonly ready: boolean;
  readonly database: 'answers' | 'does not answer';
  readonly log: { readonly size: string; readonly published: string } | null;
  readonly projection: {
    readonly size: string; // decimal: entries taken account of
    readonly behind: string | null; // decimal: entries sequenced and not yet taken account of
    readonly unread: string | null; // decimal: entries nobody could read
    readonly trouble: string | null;
  };
}
