/** A moment as decimal nanoseconds since the Unix epoch: JSON and OTLP carry 64-bit times as strings. */
export const unixNano = (timeMs: number): string => (BigInt(Math.trunc(timeMs * 1000)) * 1000n).toString();

/** Now in milliseconds since the Unix epoch, with microseconds behind the point. */
export const nowMs = (): number => performance.timeOrigin + performance.now();
