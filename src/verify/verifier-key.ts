import { decodeBase64, encodeBase64 } from './base64.ts';
import { requireKeyName } from './note.ts';
import { sha256 } from './sha256.ts';
import { malformed } from './verification-error.ts';

/** What a key signs: a note's text, or as a witness the checkpoint it saw, at a time (C2SP tlog-cosignature v1.0.1). */
export type KeyType = 'ed25519' | 'cosignature';

/** An Ed25519 public key under the name it signs with (C2SP signed-note v1.0.0, "vkey"). */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: number; // unsigned 32 bits
  readonly type: KeyType;
  readonly publicKey: Uint8Array; // 32 bytes
}

const TYPE_BYTES: Readonly<Record<KeyType, number>> = { ed25519: 0x01, cosignature: 0x04 };
const PUBLIC_KEY_BYTES = 32;

/** The verifier key `name+hex+base64` of an Ed25519 public key (32 bytes). Throws VerificationError `malformed`. */
export function formatVerifierKey(name: string, publicKey: Uint8Array, type: KeyType = 'ed25519'): string {
  const hex = verifierKeyId(name, publicKey, type).toString(16).padStart(8, '0');
  return `${name}+${hex}+${encodeBase64(typed(publicKey, type))}`;
}

/** Reads a verifier key; throws VerificationError `malformed` on anything formatVerifierKey would not write. */
export function parseVerifierKey(verifierKey: string): VerifierKey {
  const [, name = '', hex = '', base64 = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/.exec(verifierKey) ?? [];
  if (name === '') malformed('verifier key: expected name+hex+base64');
  const bytes = decodeBase64(base64);
  const type = typeOf(bytes[0]);
  const publicKey = bytes.slice(1);
  if (formatVerifierKey(name, publicKey, type) !== verifierKey) {
    malformed(`verifier key: expected the key id of this name and key, got ${hex}`);
  }
  return { name, keyId: verifierKeyId(name, publicKey, type), type, publicKey };
}

/** The key id: the first 32 bits of SHA-256(name || 0x0A || type || public key) (C2SP signed-note v1.0.0). */
export function verifierKeyId(name: string, publicKey: Uint8Array, type: KeyType = 'ed25519'): number {
  requireKeyName(name);
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    malformed(`verifier key: expected an Ed25519 public key of 32 bytes, got ${publicKey.length}`);
  }
  const hash = sha256(new TextEncoder().encode(`${name}\n`), typed(publicKey, type));
  return new DataView(hash.buffer).getUint32(0);
}

function typeOf(byte: number | undefined): KeyType {
  if (byte === TYPE_BYTES.ed25519) return 'ed25519';
  if (byte === TYPE_BYTES.cosignature) return 'cosignature';
  return malformed('verifier key: expected an Ed25519 key, of a log (type 1) or a witness (type 4)');
}

function typed(publicKey: Uint8Array, type: KeyType): Uint8Array {
  const bytes = new Uint8Array(1 + publicKey.length);
  bytes[0] = TYPE_BYTES[type];
  bytes.set(publicKey, 1);
  return bytes;
}
