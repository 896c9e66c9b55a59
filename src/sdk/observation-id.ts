import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn for many ids at once: each call for some is a system call. */
const pool = Buffer.alloc(4096);
let used = pool.length;

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
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
