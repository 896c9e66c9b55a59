import type { HrTime } from '@opentelemetry/api';

/** Times a piece of work: it begins by the wall clock, in milliseconds since the Unix epoch, and cannot end before. */
export interface Timer {
  readonly startMs: number;
  /** Now, by the monotonic clock from the start on: a step of the wall clock does not show. */
  endMs(): number;
}

export function startTimer(): Timer {
  const [startMs, started] = [Date.now(), performance.now()];
  return { startMs, endMs: () => startMs + (performance.now() - started) };
}

/** A moment as seconds and nanoseconds, to the microsecond: the same digits as `unixNano`. */
export function hrTime(timeMs: number): HrTime {
  const micros = Math.trunc(timeMs * 1000);
  return [Math.trunc(micros / 1_000_000), (micros % 1_000_000) * 1000];
}

/** A moment as decimal nanoseconds since the Unix epoch: JSON and OTLP carry 64-bit times as strings. */
export function unixNano(timeMs: number): string {
  const [seconds, nanos] = hrTime(timeMs);
  return `${seconds}${nanos.toString().padStart(9, '0')}`;
}
