import { decodeHash, encodeBase64 } from './base64.ts';
import { parseDecimal } from './decimal.ts';
import { requireKeyName } from './note.ts';
import { openNote, timeOfCosignature } from './signature.ts';
import { EMPTY_ROOT, MAX_TREE_SIZE, requireHashes, sameHash } from './tree-hash.ts';
import { malformed, VerificationError } from './verification-error.ts';
import { type KeyType, parseVerifierKey, type VerifierKey } from './verifier-key.ts';

/** What a log says of itself at one moment (C2SP tlog-checkpoint v1.0.0, without extension lines). */
export interface Checkpoint {
  readonly origin: string; // the log's name, which is also its key's
  readonly size: bigint;
  readonly root: Uint8Array;
}

/** The checkpoint as the text of a note: three lines. Throws VerificationError `malformed`. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  requireKeyName(origin);
  if (size < 0n || size > MAX_TREE_SIZE) malformed(`checkpoint: expected a size of 0 to 2^64 - 1, got ${size}`);
  requireHashes({ root }, []);
  if (size === 0n && !sameHash(root, EMPTY_ROOT)) malformed('checkpoint: expected the empty root at size 0');
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Reads the text of a checkpoint note; throws VerificationError `malformed` on anything formatCheckpoint would not write. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  if (rest.length !== 1 || rest[0] !== '') malformed('checkpoint: expected three lines: origin, size, root');
  const parsed = { origin, size: parseDecimal(size, 'checkpoint size'), root: decodeHash(root, 'checkpoint root') };
  if (formatCheckpoint(parsed) !== text) malformed('checkpoint: expected the form its log writes');
  return parsed;
}

/**
 * Reads a signed checkpoint and checks the log's signature; the key's name must be the checkpoint's origin. Cosignatures
 * of keys nobody asked about are ignored. Throws VerificationError as openNote does, and `wrong_origin`.
 */
export async function openCheckpoint(note: string, verifierKey: string): Promise<Checkpoint> {
  const key = keyOf('ed25519', verifierKey);
  const checkpoint = parseCheckpoint((await openNote(note, key)).text);
  if (checkpoint.origin !== key.name) {
    throw new VerificationError(
      'wrong_origin',
      `expected a checkpoint of ${key.name}, got one of ${checkpoint.origin}`,
    );
  }
  return checkpoint;
}

/** A checkpoint as a witness saw it. */
export interface Cosigned {
  readonly checkpoint: Checkpoint; // of any log: the caller compares the origin
  readonly time: bigint; // POSIX seconds, the latest where the witness signed twice
}

/**
 * Reads a checkpoint and checks a witness's cosignature: at `time` this was the largest consistent tree it had seen of
 * that log (C2SP tlog-cosignature v1.0.1). It says nothing of the log's own signature. Throws as openNote does.
 */
export async function openCosignature(note: string, verifierKey: string): Promise<Cosigned> {
  const { text, verified } = await openNote(note, keyOf('cosignature', verifierKey));
  const times = verified.map(timeOfCosignature);
  return { checkpoint: parseCheckpoint(text), time: times.reduce((a, b) => (a > b ? a : b)) };
}

function keyOf(type: KeyType, verifierKey: string): VerifierKey {
  const key = parseVerifierKey(verifierKey);
  if (key.type !== type) malformed(`verifier key: expected one of type ${type}, got ${key.type}`);
  return key;
}
