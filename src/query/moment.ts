import { QueryProblem } from './problem.ts';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** What a moment may look like, for schemas. */
export const MOMENT_PATTERN = '^([0-9]{1,20}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]{8,18}([Zz]|[+-][0-9]{2}:[0-9]{2}))$';

/** Reads RFC 3339 (to the nanosecond) or decimal unix nanoseconds. Returns decimal unix nanoseconds. Throws QueryProblem. */
export function parseMoment(text: string, name: string): string {
  if (/^\d{1,20}$/.test(text)) return BigInt(text).toString();
  const [, day, time, fraction = '', zone] = RFC_3339.exec(text) ?? [];
  const seconds = Date.parse(`${day}T${time}${zone?.toUpperCase()}`);
  if (Number.isNaN(seconds) || seconds < 0) {
    throw new QueryProblem(
      'invalid_parameter',
      `${name}: expected a time from 1970 on such as 2026-11-01T00:00:00Z, or unix nanoseconds`,
    );
  }
  return String(BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}
