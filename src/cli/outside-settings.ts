import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Policy, parsePolicy, VerificationError } from '@behalf/verify';
import type { AnchorSettings, WitnessSettings } from '#ledger';
import { UsageError } from './command.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Who and what outside the owner's control keeps the log honest. */
export interface OutsideSettings {
  readonly witnesses?: { readonly policyFile: string; readonly required: boolean };
  readonly anchor?: AnchorSettings;
}

/** The environment variables that say so, for --help. */
export const OUTSIDE_ENVIRONMENT: readonly (readonly [name: string, says: string])[] = [
  ['BEHALF_WITNESS_POLICY', 'a tlog-policy file: witnesses with their addresses, asked to cosign every checkpoint'],
  ['BEHALF_WITNESS_REQUIRED', 'yes: publish nothing short of the quorum; no: publish with an alarm (default no)'],
  ['BEHALF_ANCHOR_DIR', 'a folder out of the owner’s hands, where checkpoints are kept aside and never replaced'],
  ['BEHALF_ANCHOR_SECONDS', 'how often a checkpoint is kept there (default 60)'],
];

/** Reads them. Throws UsageError on a value that makes no sense. */
export const outsideSettingsFrom = (environment: Environment): OutsideSettings => ({
  ...witnessesFrom(environment),
  ...anchorFrom(environment),
});

function witnessesFrom({ BEHALF_WITNESS_POLICY: file, BEHALF_WITNESS_REQUIRED: required }: Environment) {
  if (required !== undefined && !['', 'yes', 'no'].includes(required)) {
    throw new UsageError(`BEHALF_WITNESS_REQUIRED: expected yes or no, got ${required.slice(0, 40)}`);
  }
  if (file !== undefined && file !== '') {
    return { witnesses: { policyFile: resolve(file), required: required === 'yes' } };
  }
  if (required !== 'yes') return {};
  throw new UsageError('BEHALF_WITNESS_REQUIRED: expected BEHALF_WITNESS_POLICY to name the witnesses');
}

function anchorFrom({ BEHALF_ANCHOR_DIR: folder, BEHALF_ANCHOR_SECONDS: seconds }: Environment) {
  if (folder === undefined || folder === '') return {};
  const text = seconds || '60';
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new UsageError(`BEHALF_ANCHOR_SECONDS: expected 1 to 9999999, got ${text.slice(0, 40)}`);
  }
  return { anchor: { folder: resolve(folder), intervalMs: Number(text) * 1000 } };
}

/** A tlog-policy file. Throws UsageError with the file's name and the line. */
export async function readPolicy(path: string): Promise<Policy> {
  try {
    return parsePolicy(await readFile(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof VerificationError) throw new UsageError(`${path}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** What the ledger is told of them. */
export async function ledgerOutside({ witnesses, anchor }: OutsideSettings): Promise<{
  readonly witnesses?: WitnessSettings;
  readonly anchor?: AnchorSettings;
}> {
  const asked =
    witnesses === undefined
      ? {}
      : { witnesses: { policy: await readPolicy(witnesses.policyFile), required: witnesses.required } };
  return { ...asked, ...(anchor === undefined ? {} : { anchor }) };
}
