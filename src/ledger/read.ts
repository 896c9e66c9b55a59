/**
 * What others read of the log: entries, C2SP tiles and bundles, checkpoints, proofs, and the names of persons for those
 * who may see them. It never touches the writer and serves as a tile only what a published checkpoint covers. Proven by
 * test/ledger/log-reader.test.ts and test/ledger/person-reader.test.ts.
 */

export type { LedgerErrorCode } from './errors.ts';
export { LedgerError } from './errors.ts';
export type { HandOverRow } from './hand-over-reader.ts';
export { readHandOvers, readVerifierKey } from './hand-over-reader.ts';
export type { LogReader, LogReaderOptions, PublishedCheckpoint } from './log-reader.ts';
export { MAX_ENTRIES_AT_ONCE, openLogReader } from './log-reader.ts';
export type { PersonReader, PersonReaderOptions } from './person-reader.ts';
export { openPersonReader } from './person-reader.ts';
export { SealError } from './seal.ts';
export type { EntryRow } from './sql/entry.ts';
