const local = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});

/** Unix nanoseconds, decimal, in the reader's time zone, to the millisecond. */
export const formatLocal = (nanoseconds: string): string => local.format(dateOf(nanoseconds));

/** Unix nanoseconds, decimal, as an ISO 8601 instant with all nine digits. */
export function formatInstant(nanoseconds: string): string {
  const second = dateOf(nanoseconds).toISOString().slice(0, 19);
  return `${second}.${(BigInt(nanoseconds) % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

/** The time from one instant to another in one readable unit; signed. */
export function formatSpan(from: string, to: string): string {
  const nanoseconds = BigInt(to) - BigInt(from);
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const sign = nanoseconds < 0n ? '−' : '';
  if (size < 1000n) return `${sign}${size} ns`;
  if (size < 1_000_000n) return `${sign}${Number(size) / 1000} µs`;
  if (size < 1_000_000_000n) return `${sign}${(Number(size) / 1e6).toFixed(size < 10_000_000n ? 1 : 0)} ms`;
  if (size < 120_000_000_000n) return `${sign}${(Number(size) / 1e9).toFixed(1)} s`;
  if (size < 7_200_000_000_000n) return `${sign}${Math.round(Number(size) / 6e10)} min`;
  return `${sign}${(Number(size) / 3.6e12).toFixed(1)} h`;
}

const dateOf = (nanoseconds: string): Date => new Date(Number(BigInt(nanoseconds) / 1_000_000n));
