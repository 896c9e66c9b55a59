import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn for many ids at once: each call for some is a system call. */
const pool = Buffer.alloc(4096);
let used = pool.length;
const text = Buffer.alloc(36);
const DIGITS = '0123456789abcdef';
const HYPHEN = 0x2d;

/** A new UUIDv7 (RFC 9562 section 5.7), the idempotency key of one observation. `timeMs`: since the Unix epoch. */
export function newObservationId(timeMs: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + 16);
  used += 16;
  bytes.writeUIntBE(Math.trunc(timeMs), 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let at = 0;
  for (let index = 0; index < 16; index += 1) {
    const byte = bytes[index] ?? 0;
    if (index === 4 || index === 6 || index === 8 || index === 10) text[at++] = HYPHEN;
    text[at++] = DIGITS.charCodeAt(byte >> 4);
    text[at++] = DIGITS.charCodeAt(byte & 15);
  }
  return text.toString('latin1');
}
