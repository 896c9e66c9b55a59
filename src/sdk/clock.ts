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

/** A moment in whole microseconds since the Unix epoch: what OTLP's times are made of here. */
export const unixMicros = (timeMs: number): number => Math.trunc(timeMs * 1000);

/** A moment as decimal nanoseconds since the Unix epoch: JSON and OTLP carry 64-bit times as strings. */
export function unixNano(timeMs: number): string {
  return `${unixMicros(timeMs)}000`;
}
