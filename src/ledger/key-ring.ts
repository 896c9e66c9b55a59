import { link, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  formatHandOver,
  formatHandOverNote,
  formatVerifierKey,
  openHandOver,
  parseHandOver,
  parseNote,
  parseVerifierKey,
} from '@behalf/verify';
import { ExternalKey, type ExternalSigner } from './external-signer.ts';
import { existingSecret, findSecret, parseSecret, secretFromFile, syncFolder, writeDurably } from './key-file.ts';
import { type NoteKey, SigningKey, signatureBy } from './signing-key.ts';

/** Where a log's private key is. */
export type KeySource =
  | { readonly kind: 'file' } // signer.key of the key folder, made on first use
  | { readonly kind: 'secret'; readonly secret: string } // 32 bytes as hex, given in memory
  | {
      readonly kind: 'external';
      readonly signer: ExternalSigner;
      readonly verifierKey: string; // its name is the log's origin
      readonly timeoutMs?: number;
    };

/** The keys that sign. A new one signs beside the old before it takes over, and the old one for a while after. */
export interface KeyRing {
  readonly current: NoteKey;
  readonly next?: NoteKey;
  readonly before?: NoteKey;
}

const pathsOf = (folder: string) => ({
  current: join(folder, 'signer.key'),
  next: join(folder, 'signer.key.next'),
  before: join(folder, 'signer.key.before'),
  handOver: join(folder, 'signer.hand-over'),
});

/** Reads the keys as they are now: another process may change them. Throws LedgerError `key`. */
export async function openKeyRing(
  source: KeySource,
  folder: string,
  nowSeconds: () => bigint = clock,
): Promise<KeyRing> {
  switch (source.kind) {
    case 'file':
      return ringOfFolder(folder, nowSeconds);
    case 'secret':
      return { current: new SigningKey(parseSecret('BEHALF_SIGNING_KEY', source.secret.trim(), 32)) };
    case 'external': {
      const { signer, verifierKey, timeoutMs } = source;
      const { publicKey } = parseVerifierKey(verifierKey);
      return { current: new ExternalKey({ signer, publicKey, ...(timeoutMs === undefined ? {} : { timeoutMs }) }) };
    }
  }
}

/** The next key is read first: whoever does not see it yet is asked to sign what was there before it was made. */
async function ringOfFolder(folder: string, nowSeconds: () => bigint): Promise<KeyRing> {
  const paths = pathsOf(folder);
  const next = await keyIfThere(paths.next);
  const current = new SigningKey(await secretFromFile(paths.current, 32));
  const before = await keyIfThere(paths.before);
  if (before !== undefined && next === undefined && (await isOver(paths.handOver, nowSeconds()))) {
    await unlink(paths.before).catch(ifMissing);
    await syncFolder(folder);
    return { current };
  }
  const others = { ...(next === undefined ? {} : { next }), ...(before === undefined ? {} : { before }) };
  return { current, ...others };
}

async function isOver(handOver: string, now: bigint): Promise<boolean> {
  const note = await readFile(handOver, 'utf8').catch(ifMissing);
  return note === undefined || parseHandOver(parseNote(note).text).until <= now;
}

/**
 * Makes the next key of the folder and the hand-over to it, signed by both; from now on both sign. Called again it gives the
 * same hand-over. `until`: POSIX seconds. Throws LedgerError `key`. A crash between leaves a next key without a hand-over,
 * for which the next call makes one.
 */
export async function prepareHandOver(folder: string, origin: string, until: bigint): Promise<string> {
  const paths = pathsOf(folder);
  const current = new SigningKey(await existingSecret(paths.current, 32));
  const next = new SigningKey(await secretFromFile(paths.next, 32));
  const made = await readFile(paths.handOver, 'utf8').catch(ifMissing);
  if (made !== undefined && (await openHandOver(made)).to === next.verifierKey(origin)) return made;
  const handOver = { origin, from: current.verifierKey(origin), to: next.verifierKey(origin), until };
  const text = formatHandOver(handOver);
  const signatures = [await signatureBy(current, origin, text), await signatureBy(next, origin, text)] as const;
  const note = formatHandOverNote(handOver, signatures);
  await writeDurably(paths.handOver, note);
  return note;
}

/**
 * The next key takes over; the old one is kept until the hand-over says. There is a current key at every moment: a signer
 * that found none would make one. A crash leaves the keys of before or of after; called again it does nothing.
 */
export async function finishHandOver(folder: string, nowSeconds: () => bigint = clock): Promise<void> {
  const paths = pathsOf(folder);
  if ((await keyIfThere(paths.next)) === undefined) return;
  await unlink(paths.before).catch(ifMissing);
  if (!(await isOver(paths.handOver, nowSeconds()))) await link(paths.current, paths.before);
  await rename(paths.next, paths.current);
  await syncFolder(folder);
}

async function keyIfThere(path: string): Promise<SigningKey | undefined> {
  const seed = await findSecret(path, 32);
  return seed && new SigningKey(seed);
}

export const verifierKeyOf = (origin: string, { publicKey }: NoteKey): string => formatVerifierKey(origin, publicKey);

const clock = (): bigint => BigInt(Math.floor(Date.now() / 1000));

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
