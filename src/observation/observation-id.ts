import { randomBytes } from 'node:crypto';

const LAST_MILLISECOND = 2n ** 48n - 1n;

/** A new UUIDv7 (RFC 9562 section 5.7). `timeMs`: milliseconds since the Unix epoch. */
export const newObservationId = (timeMs: number): string => format(BigInt(Math.trunc(timeMs)), randomBytes(10));

/**
 * The id of an observation whose sender gave none: UUIDv7 in form, the time from the span's start, the rest from a
 * digest of its content (at least 10 bytes), so that a retry carries the same id and other content another.
 */
export const observationIdOf = (startTimeUnixNano: string, contentDigest: Uint8Array): string =>
  format(BigInt(startTimeUnixNano) / 1_000_000n, contentDigest.subarray(0, 10));

function format(timeMs: bigint, rest: Uint8Array): string {
  if (rest.length !== 10) throw new TypeError('observation id: needs 10 bytes beside the time');
  const time = (timeMs < 0n ? 0n : timeMs > LAST_MILLISECOND ? LAST_MILLISECOND : timeMs)
    .toString(16)
    .padStart(12, '0');
  const bytes = Uint8Array.from(rest);
  bytes[0] = ((bytes[0] ?? 0) & 0x0f) | 0x70; // version 7
  bytes[2] = ((bytes[2] ?? 0) & 0x3f) | 0x80; // variant
  const hex = time + Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
