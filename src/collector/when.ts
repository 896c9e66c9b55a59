import type { Notes } from './notes.ts';

const EARLIEST = 946_684_800_000_000_000n; // 2000-01-01: before it, seconds or milliseconds were sent as nanoseconds
const LATEST = 2n ** 63n - 1n; // 2262-04-11: what a signed 64-bit number of nanoseconds holds

const isPlausible = (time: bigint): boolean => time >= EARLIEST && time <= LATEST;

/** The claimed time of an observation, or the time it was received with an anomaly. Skewed clocks keep their claim. */
export function timeOf(claimed: bigint, received: bigint, notes: Notes): bigint {
  if (isPlausible(claimed)) return claimed;
  if (claimed === 0n) notes.warn('time_missing', 'time: none was sent; the time of receipt stands in');
  else notes.warn('time_out_of_range', `time: ${claimed} ns is outside 2000 to 2262; the time of receipt stands in`);
  return received;
}

/** The claimed end, when it is one. */
export function endTimeOf(claimed: bigint, start: bigint, notes: Notes): bigint | undefined {
  if (claimed === 0n) return undefined;
  if (isPlausible(claimed) && claimed >= start) return claimed;
  notes.warn('end_time_invalid', `endTime: ${claimed} ns is before the start or outside 2000 to 2262; left out`);
  return undefined;
}
