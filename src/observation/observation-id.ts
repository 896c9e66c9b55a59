import { randomBytes } from 'node:crypto';

const LAST_MILLISECOND = 2 ** 48 - 1;

/** A new UUIDv7 (RFC 9562 section 5.7). `timeMs`: milliseconds since the Unix epoch. */
export const newObservationId = (timeMs: number): string => format(Math.trunc(timeMs), randomBytes(10).toString('hex'));

/**
 * The id of an observation whose sender gave none: UUIDv7 in form, the time from the span's start in nanoseconds, the rest
 * from a digest of its content (at least 20 hex digits), so that a retry carries the same id and other content another.
 */
export const observationIdOf = (startTimeUnixNano: bigint, contentDigest: string): string =>
  format(Number(startTimeUnixNano / 1_000_000n), contentDigest);

function format(timeMs: number, digits: string): string {
  if (digits.length < 20) throw new TypeError('observation id: needs 10 bytes beside the time');
  const time = Math.min(Math.max(timeMs, 0), LAST_MILLISECOND).toString(16).padStart(12, '0');
  const version = `7${digits.slice(1, 4)}`;
  const variant = `${'89ab'[Number.parseInt(digits.slice(4, 5), 16) & 3]}${digits.slice(5, 8)}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${digits.slice(8, 20)}`;
}
