import { malformed } from './verification-error.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));
const SHAPE = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Base64 with the standard alphabet and padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const count = Math.min(3, bytes.length - at);
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let i = 0; i < 4; i += 1) text += i <= count ? ALPHABET[(bits >> (18 - 6 * i)) & 63] : '=';
  }
  return text;
}

/** The bytes of base64 text, only in the one form encodeBase64 writes; throws VerificationError `malformed` otherwise. */
export function decodeBase64(text: string): Uint8Array {
  if (!SHAPE.test(text)) malformed(`expected padded standard base64, got ${text.length} characters that are not`);
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let at = 0, out = 0; at < text.length; at += 4, out += 3) {
    let bits = 0;
    for (let i = 0; i < 4; i += 1) bits = (bits << 6) | (VALUES.get(text[at + i] ?? '') ?? 0);
    for (let i = 0; i < 3 && out + i < bytes.length; i += 1) bytes[out + i] = bits >> (16 - 8 * i);
  }
  if (encodeBase64(bytes) !== text) malformed('expected base64 whose unused bits are zero');
  return bytes;
}

/** A 32-byte hash in base64; `what` names it in the error. */
export function decodeHash(text: string, what: string): Uint8Array {
  const hash = decodeBase64(text);
  if (hash.length !== 32) malformed(`${what}: expected 32 bytes in base64, got ${hash.length}`);
  return hash;
}
