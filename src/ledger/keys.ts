/**
 * Secrets in files, and files replaced so that a crash leaves the old or the new: for whoever keeps keys and no log. It opens
 * nothing that others may read, and touches no database. Proven by test/ledger/signer.test.ts.
 */

export { LedgerError } from './errors.ts';
export { makeKeyFolder, secretFromFile, writeAside } from './key-file.ts';
export type { KnownKey, KnownKeys } from './log-key.ts';
export { makeLogKey, readLogKeys } from './log-key.ts';
export type { Numbered } from './numbered-files.ts';
export { NumberedFiles } from './numbered-files.ts';
