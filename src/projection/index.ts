/**
 * Follows the ledger and keeps the tables that queries read: which entries belong together, the chains they give, their hops
 * and findings. Exactly once in effect, resumes after a crash, and a rebuild gives the same rows byte for byte. Proven by
 * test/projection.
 */

export { chainsAsOf, type KnownThen } from './as-of.ts';
export type { CheckOptions, ProjectionReport } from './check.ts';
export { checkProjection } from './check.ts';
export type { Projection, ProjectionOptions } from './follow.ts';
export { startProjection } from './follow.ts';
export { keyHash } from './key-hash.ts';
export type { FactKind } from './party-fact.ts';
export type { ReindexOptions } from './reindex.ts';
export { reindex } from './reindex.ts';
export type { SealedSummary } from './row.ts';
export { searchable } from './searchable.ts';
export type { ThreadOptions } from './thread.ts';
export { startProjectionThread } from './thread.ts';
export { type ThresholdChanges, thresholdsWith } from './thresholds.ts';
