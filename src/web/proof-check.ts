import { checkTlogProof, leafHash, VerificationError } from '@behalf/verify';
import { fetchEntry, fetchLog, fetchProof, Problem } from './api.ts';
import { pinnedKey } from './pinned-key.ts';

/** What was recomputed here and held. */
export interface CheckedProof {
  readonly index: string;
  readonly bytes: number;
  readonly leaf: string; // hex
  readonly size: string; // decimal
  readonly root: string; // hex
  readonly origin: string;
  readonly verifierKey: string;
  readonly keyFrom: 'pinned' | 'server';
}

/**
 * Fetches an entry's bytes and its proof and checks both in this browser: leaf hash, inclusion in the checkpoint's tree,
 * the checkpoint's signature. Throws Problem when anything is missing or does not hold.
 */
export async function checkEntry(index: string, signal: AbortSignal): Promise<CheckedProof> {
  if (!isSecureContext) {
    throw new Problem({
      says: 'This browser checks signatures only on pages from HTTPS or from this machine.',
      advice: 'Open the page over HTTPS or as localhost, or check on the command line: behalf verify',
    });
  }
  const pinned = pinnedKey();
  const [bytes, proof, verifierKey] = await Promise.all([
    fetchEntry(index, signal),
    fetchProof(index, signal),
    pinned ?? fetchLog(signal).then((log) => log.verifierKey),
  ]);
  try {
    const leaf = leafHash(bytes);
    const { index: proven, checkpoint } = await checkTlogProof({ proof, leaf, verifierKey });
    if (proven !== BigInt(index)) {
      throw new VerificationError('inclusion', `expected a proof for entry ${index}, got one for entry ${proven}`);
    }
    return {
      index,
      bytes: bytes.length,
      leaf: hex(leaf),
      size: String(checkpoint.size),
      root: hex(checkpoint.root),
      origin: checkpoint.origin,
      verifierKey,
      keyFrom: pinned === null ? 'server' : 'pinned',
    };
  } catch (cause) {
    throw cause instanceof VerificationError ? notProven(cause, pinned !== null) : cause;
  }
}

const notProven = (cause: VerificationError, isPinned: boolean): Problem =>
  new Problem({
    says: `Not proven (${cause.code}): ${cause.message}`,
    advice: isPinned
      ? 'Compare the pinned key with the log’s. If it is the right one, the entry or the log was changed: keep both and tell the operator.'
      : 'The entry or the log was changed, or the answer was damaged on the way: keep both and tell the operator.',
    cause,
  });

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
