/**
 * From observations to delegation chains: links with grades, gaps, findings, verdicts, and how far anybody reached. Pure
 * functions, no I/O: the same set of entries, thresholds and history gives the same chains byte for byte, and nothing is ever
 * linked above its grade. Proven by test/chains and test/findings; findings.md tells every rule.
 */

export { stitchAsOf } from './as-of.ts';
export type {
  Chain,
  Completeness,
  Exchange,
  Fact,
  Finding,
  Gap,
  GapKind,
  Grade,
  Hop,
  Link,
  Recorded,
  ServiceRef,
  Severity,
  Verdict,
} from './chain.ts';
export { GAP_KINDS, GRADES, VERDICTS } from './chain.ts';
export { type Ending, type History, NO_HISTORY, type PartyBefore } from './history.ts';
export { type JoinKey, joinKeysOf } from './join-key.ts';
export { clearPartyKey, describeParty, partyKey } from './party-key.ts';
export {
  type PossibleReach,
  type PossibleStop,
  type PossiblyReached,
  startPossibleReach,
  stepPossibleReach,
  type UseEdge,
} from './possible-reach.ts';
export {
  type PossibleOrigin,
  type PossibleSource,
  startPossibleOrigin,
  stepPossibleOrigin,
} from './possible-source.ts';
export {
  type Direction,
  type Origin,
  type Reach,
  type Reached,
  type ReachQuestion,
  type ReachStep,
  reachOf,
  type Stop,
} from './reach.ts';
export { type BoundaryGap, boundaryGapsOf } from './reach-boundary.ts';
export { RULES } from './rules/index.ts';
export type { Rule } from './rules/rule.ts';
export { type StitchOptions, stitch } from './stitch.ts';
export { DEFAULT_THRESHOLDS, DIMENSIONS, type Dimension, type Thresholds } from './thresholds.ts';
