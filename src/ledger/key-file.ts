import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LedgerError } from './errors.ts';

/** Makes the folder of keys, closed to others, unless it is there. */
export async function makeKeyFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/**
 * The secret of `bytes` random bytes that a file holds as lower-case hex; made on first use, once, however many processes
 * ask. Throws LedgerError `key` for a file that group or others may touch (expected mode 0600) or that is not hex. A crash
 * while making it leaves no half-written file under its name.
 */
export async function secretFromFile(path: string, bytes: number): Promise<Uint8Array> {
  const text = (await readSecret(path)) ?? (await makeSecret(path, bytes));
  return parseSecret(path, text, bytes);
}

/** As secretFromFile, for those who only read: a file that is not there is LedgerError `key`. */
export async function existingSecret(path: string, bytes: number): Promise<Uint8Array> {
  const secret = await findSecret(path, bytes);
  if (secret !== undefined) return secret;
  throw new LedgerError('key', `${path}: not there; give the key folder of the server that wrote the log`);
}

/** As existingSecret; a file that is not there is undefined. */
export async function findSecret(path: string, bytes: number): Promise<Uint8Array | undefined> {
  const text = await readSecret(path);
  return text === undefined ? undefined : parseSecret(path, text, bytes);
}

/** A secret of so many bytes from its hex form; `name` says where it stood. Throws LedgerError `key`, without the text. */
export function parseSecret(name: string, text: string, bytes: number): Uint8Array {
  if (new RegExp(`^[0-9a-f]{${2 * bytes}}\n?$`).test(text)) return Buffer.from(text.trim(), 'hex');
  throw new LedgerError('key', `${name}: expected ${bytes} bytes as hex; restore it from a backup`);
}

/** Mode and content are of the same open file, whatever is renamed meanwhile. */
async function readSecret(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(ifMissing);
  if (file === undefined) return undefined;
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new LedgerError(
        'key',
        `${path}: mode is ${(mode & 0o777).toString(8)}, expected 600: others may have read this key; chmod 600 ${path}, and rotate the key if others were on this machine`,
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function makeSecret(path: string, bytes: number): Promise<string> {
  const text = `${randomBytes(bytes).toString('hex')}\n`;
  // A link, unlike a rename, fails when another process was first: then its secret is the secret.
  await writeAside(path, text, async (aside) => {
    await link(aside, path).catch(ifExists);
    await unlink(aside);
  });
  return (await readSecret(path)) ?? text;
}

/** Replaces a file's content so that a crash leaves the old or the new one, whole (write aside, fsync, rename, fsync). */
export async function writeDurably(path: string, text: string): Promise<void> {
  await writeAside(path, text, (aside) => rename(aside, path));
}

/** Writes a file under another name, synced, and has it placed; what `place` throws leaves nothing behind. */
export async function writeAside(path: string, text: string, place: (aside: string) => Promise<void>): Promise<void> {
  const aside = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeSynced(aside, text);
    await place(aside);
  } catch (error) {
    await unlink(aside).catch(ifMissing);
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes what was made, renamed or removed in a folder survive a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const ifMissing = (error: unknown): undefined => unlessCode(error, 'ENOENT');
const ifExists = (error: unknown): undefined => unlessCode(error, 'EEXIST');

function unlessCode(error: unknown, code: string): undefined {
  if (error instanceof Error && 'code' in error && error.code === code) return undefined;
  throw error;
}
