/**
 * The log's only writer: it seals persons, sequences entries, keeps the tree over them and signs it. Nothing is
 * acknowledged before its commit, stored twice, or signed unless it was read back and contains what was signed before.
 * Proven by test/ledger, where fsck judges what every fault leaves.
 */

export type { AbsentPersons } from './absent-persons.ts';
export { findAbsentPersons } from './absent-persons.ts';
export type { AnchorSettings } from './anchor.ts';
export type { AnchorsOptions, AnchorsReport } from './check-anchors.ts';
export { checkAnchors } from './check-anchors.ts';
export type { Difference } from './difference.ts';
export type { LedgerErrorCode } from './errors.ts';
export { LedgerError } from './errors.ts';
export type { ExternalSigner } from './external-signer.ts';
export type { FsckOptions, FsckReport } from './fsck.ts';
export { fsck } from './fsck.ts';
export { secretFromFile } from './key-file.ts';
export type { KeySource } from './key-ring.ts';
export type { Appended, Ledger, LedgerOptions } from './ledger.ts';
export { openLedger } from './ledger.ts';
export type { Rotated } from './rotation.ts';
export type { Post } from './witness-client.ts';
export type { WitnessSettings } from './witnesses.ts';
export { policyForOthers } from './witnesses.ts';
