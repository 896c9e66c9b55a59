import { join } from 'node:path';
import { existingSecret, secretFromFile } from './key-file.ts';
import { type MasterKeys, masterKeys } from './seal.ts';

const pathIn = (folder: string): string => join(folder, 'persons.key');

/** The keys from `persons.key` of the folder, made on first use. Throws LedgerError `key`. */
export const openPersonKeys = async (folder: string): Promise<MasterKeys> =>
  masterKeys(await secretFromFile(pathIn(folder), 32));

/** As openPersonKeys, never making any. */
export const readPersonKeys = async (folder: string): Promise<MasterKeys> =>
  masterKeys(await existingSecret(pathIn(folder), 32));
