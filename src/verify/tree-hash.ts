import { sha256 } from './sha256.ts';
import { malformed } from './verification-error.ts';

export const HASH_BYTES = 32;
/** Tree sizes are unsigned 64-bit numbers. */
export const MAX_TREE_SIZE = 2n ** 64n - 1n;

const LEAF_PREFIX = new Uint8Array([0]);
const NODE_PREFIX = new Uint8Array([1]);

/** The root hash of the tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1). */
export const EMPTY_ROOT: Uint8Array = sha256();

/** The leaf hash of an entry's exact bytes: SHA-256(0x00 || entry) (RFC 6962 section 2.1). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(LEAF_PREFIX, entry);
}

/** The hash of an inner node from its two 32-byte children: SHA-256(0x01 || left || right) (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE_PREFIX, left, right);
}

/** Compares hashes; every byte is public, so in no constant time. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** Throws `malformed` unless every named value is 32 bytes. */
export function requireHashes(named: Readonly<Record<string, Uint8Array>>, proof: readonly Uint8Array[]): void {
  for (const [name, hash] of Object.entries(named)) requireHash(hash, name);
  for (const [i, hash] of proof.entries()) requireHash(hash, `proof hash ${i}`);
}

function requireHash(hash: Uint8Array, name: string): void {
  if (hash.length !== HASH_BYTES) malformed(`${name}: expected 32 bytes, got ${hash.length}`);
}
