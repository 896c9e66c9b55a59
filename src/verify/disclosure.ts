import { decodeBase64 } from './base64.ts';
import { sha256 } from './sha256.ts';
import { sameHash } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

/** A value that stands sealed in an entry, and the one key that opens it. It opens no other value. */
export interface Disclosure {
  readonly sealed: string;
  readonly key: Uint8Array; // 32 bytes
}

/*
 * A sealed value: version (1) || salt (16) || commitment (32) || AES-256-GCM ciphertext || tag (16), base64url. The
 * commitment is a hash of the key, without which one ciphertext could open to different texts under different keys. The
 * plaintext is its length in two bytes, the text, and zeros up to a multiple of 32.
 */
const VERSION = 1;
const COMMITMENT_AT = 17;
const BODY_AT = COMMITMENT_AT + 32;
const BLOCK_BYTES = 32;
const TAG_BYTES = 16;
const COMMITMENT_LABEL = new TextEncoder().encode('behalf/seal/v1/commitment\0');

/**
 * The text a disclosure opens, in the log of this origin. Throws VerificationError `disclosure` when the key is not the
 * one the value commits to, or the value was altered or is none.
 */
export async function openDisclosure({ sealed, key }: Disclosure, origin: string): Promise<string> {
  const bytes = decodeBase64Url(sealed);
  const bodyBytes = bytes.length - BODY_AT - TAG_BYTES;
  if (bytes[0] !== VERSION || bodyBytes < BLOCK_BYTES || bodyBytes % BLOCK_BYTES !== 0) {
    refuse('expected a sealed value of version 1');
  }
  const commitment = bytes.subarray(COMMITMENT_AT, BODY_AT);
  if (key.length !== 32 || !sameHash(sha256(COMMITMENT_LABEL, key), commitment)) {
    refuse('the key is not the one the sealed value commits to');
  }
  return unpad(await decrypt(key, origin, bytes.slice(BODY_AT)));
}

/** AES-256-GCM (NIST SP 800-38D) through WebCrypto. A key seals one value, so the nonce is constant. */
async function decrypt(raw: Uint8Array, origin: string, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(raw), 'AES-GCM', false, ['decrypt']);
  const parameters = { name: 'AES-GCM', iv: new Uint8Array(12), additionalData: new TextEncoder().encode(origin) };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, body));
  } catch (cause) {
    return refuse('the sealed value was altered, or sealed for another log', cause);
  }
}

function unpad(padded: Uint8Array): string {
  const length = new DataView(padded.buffer, padded.byteOffset).getUint16(0);
  const end = 2 + length;
  const isPadded = padded.length === Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES;
  if (!isPadded || padded.subarray(end).some((byte) => byte !== 0))
    refuse('the sealed value is not padded as its writer does');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(padded.subarray(2, end));
  } catch (cause) {
    return refuse('the sealed value is not text in UTF-8', cause);
  }
}

function decodeBase64Url(text: string): Uint8Array {
  if (/[+/=]/.test(text)) refuse('expected base64url');
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  try {
    return decodeBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, '='));
  } catch (cause) {
    return refuse('expected base64url', cause);
  }
}

function refuse(why: string, cause?: unknown): never {
  throw new VerificationError('disclosure', `disclosure: ${why}`, { cause });
}
