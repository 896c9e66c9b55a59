import { decodeBase64, encodeBase64 } from './base64.ts';
import { requireKeyName } from './note.ts';
import { sha256 } from './sha256.ts';
import { malformed } from './verification-error.ts';

/** An Ed25519 public key under the name it signs with (C2SP signed-note v1.0.0, "vkey"). */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: number; // unsigned 32 bits
  readonly publicKey: Uint8Array; // 32 bytes
}

const ED25519 = 0x01;
const PUBLIC_KEY_BYTES = 32;

/** The verifier key `name+hex+base64` of an Ed25519 public key (32 bytes). Throws VerificationError `malformed`. */
export function formatVerifierKey(name: string, publicKey: Uint8Array): string {
  const hex = verifierKeyId(name, publicKey).toString(16).padStart(8, '0');
  return `${name}+${hex}+${encodeBase64(typed(publicKey))}`;
}

/** Reads a verifier key; throws VerificationError `malformed` on anything formatVerifierKey would not write. */
export function parseVerifierKey(verifierKey: string): VerifierKey {
  const [, name = '', hex = '', base64 = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/.exec(verifierKey) ?? [];
  if (name === '') malformed('verifier key: expected name+hex+base64');
  const bytes = decodeBase64(base64);
  if (bytes[0] !== ED25519) malformed('verifier key: expected an Ed25519 key (type 1)');
  const publicKey = bytes.slice(1);
  if (formatVerifierKey(name, publicKey) !== verifierKey) {
    malformed(`verifier key: expected the key id of this name and key, got ${hex}`);
  }
  return { name, keyId: verifierKeyId(name, publicKey), publicKey };
}

/** The key id: the first 32 bits of SHA-256(name || 0x0A || 0x01 || public key) (C2SP signed-note v1.0.0). */
export function verifierKeyId(name: string, publicKey: Uint8Array): number {
  requireKeyName(name);
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    malformed(`verifier key: expected an Ed25519 public key of 32 bytes, got ${publicKey.length}`);
  }
  const hash = sha256(new TextEncoder().encode(`${name}\n`), typed(publicKey));
  return new DataView(hash.buffer).getUint32(0);
}

function typed(publicKey: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + publicKey.length);
  bytes[0] = ED25519;
  bytes.set(publicKey, 1);
  return bytes;
}
