import { parseVerifierKey } from '@behalf/verify';
import type { Database } from '#database';
import { asLedgerErrors } from './database-error.ts';
import { LedgerError } from './errors.ts';
import type { KeySource } from './key-ring.ts';
import { hasLog, type OpenedLog, openLog } from './open-log.ts';
import { SignerClient } from './signer-client.ts';
import { requireNotSmaller, SignerState } from './signer-state.ts';

export interface SigningOptions {
  readonly database: Database;
  readonly logId: number;
  readonly keyFolder: string;
  readonly origin: string | undefined;
  readonly source: KeySource;
  /** False: the log's key is not touched, except that a log which is not there yet is opened under it. */
  readonly signs: boolean;
  readonly personsCheck: Uint8Array;
  readonly onAlarm: (error: unknown) => void;
}

/** The log, and its signer where this server signs. */
export interface Signing {
  readonly log: OpenedLog;
  readonly signer: SignerClient | undefined;
}

/**
 * Finds or opens the log with the keys this server has, and starts the signer where it signs. Throws LedgerError as openLog
 * does, and `rollback` when the key folder signed a larger log than the database holds: what was appended now would take
 * indexes that signed entries had.
 */
export async function openSigning(options: SigningOptions): Promise<Signing> {
  const { database, logId, keyFolder: folder, source, onAlarm, personsCheck } = options;
  const origin = originOf(options);
  const needed = options.signs || !(await asLedgerErrors(() => hasLog(database, logId)));
  const started = needed ? await SignerClient.start({ folder, source, onAlarm }) : undefined;
  try {
    const log = await asLedgerErrors(() => openLog(database, logId, { origin, keys: started?.keys, personsCheck }));
    await requireNotAhead(folder, log);
    if (options.signs) return { log, signer: started?.signer };
    await started?.signer.close();
    return { log, signer: undefined };
  } catch (error) {
    await started?.signer.close();
    throw error;
  }
}

/** A key kept elsewhere knows its log's name. */
function originOf({ origin, source }: SigningOptions): string | undefined {
  if (source.kind !== 'external') return origin;
  const { name } = parseVerifierKey(source.verifierKey);
  if (origin === undefined || origin === name) return name;
  throw new LedgerError(
    'mismatch',
    `the signer's verifier key is of ${name}, the log of ${origin}; give the log's own`,
  );
}

/** Judged here as well as by the signer: a server that only collects has none, and must not go on either. */
async function requireNotAhead(folder: string, { origin, size }: OpenedLog): Promise<void> {
  const last = await new SignerState(folder).last(origin);
  if (last !== undefined) requireNotSmaller(last.checkpoint, size);
}
