import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseCheckpoint, parseHandOver, parseNote } from '@behalf/verify';
import { LedgerError } from './errors.ts';
import { findSecret, makeKeyFolder, secretFromFile } from './key-file.ts';
import { NumberedFiles } from './numbered-files.ts';
import { SigningKey } from './signing-key.ts';

/** A key that signs, by its public half. */
export interface KnownKey {
  readonly file: string;
  readonly role: 'signs' | 'signs beside, and takes over' | 'signs beside, until its window is over';
  readonly publicKey: Uint8Array; // 32 bytes
}

/** What a key folder holds of a log's key; never the key itself. */
export interface KnownKeys {
  readonly keys: readonly KnownKey[];
  /** The log it signed for, and how large that was. */
  readonly signed?: { readonly origin: string; readonly size: bigint };
  /** POSIX seconds: until when a key that was handed over still signs. */
  readonly until?: bigint;
}

/** Makes a log's key in a file of its own, and returns its public half. Throws LedgerError `key` when the file is there. */
export async function makeLogKey(file: string): Promise<Uint8Array> {
  await makeKeyFolder(dirname(file));
  if ((await findSecret(file, 32)) !== undefined) {
    throw new LedgerError('key', `${file}: there already, and stays; behalf keys rotate makes a log's next key`);
  }
  return new SigningKey(await secretFromFile(file, 32)).publicKey;
}

/** Reads what there is and makes nothing. Throws LedgerError `key` for a file that others may read. */
export async function readLogKeys(folder: string): Promise<KnownKeys> {
  const named = [
    ['signer.key', 'signs'],
    ['signer.key.next', 'signs beside, and takes over'],
    ['signer.key.before', 'signs beside, until its window is over'],
  ] as const;
  const keys: KnownKey[] = [];
  for (const [name, role] of named) {
    const file = join(folder, name);
    const seed = await findSecret(file, 32);
    if (seed !== undefined) keys.push({ file, role, publicKey: new SigningKey(seed).publicKey });
  }
  return { keys, ...(await signedFrom(folder)), ...(keys.length > 1 ? await windowOf(folder) : {}) };
}

async function signedFrom(folder: string): Promise<Pick<KnownKeys, 'signed'>> {
  const last = await new NumberedFiles(join(folder, 'signer'), 'checkpoint').last();
  if (last === undefined) return {};
  const { origin, size } = parseCheckpoint(last.text.includes('\n\n') ? parseNote(last.text).text : last.text);
  return { signed: { origin, size } };
}

async function windowOf(folder: string): Promise<Pick<KnownKeys, 'until'>> {
  const note = await readFile(join(folder, 'signer.hand-over'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return note === undefined ? {} : { until: parseHandOver(parseNote(note).text).until };
}
