export interface Rate {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const percentile = (times: readonly number[], share: number): number => {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
};

/** Repeats `step` from so many callers at once for a while; each call returns how many entries it stored. */
export async function measure(
  seconds: number,
  callers: number,
  step: (caller: number) => Promise<number>,
): Promise<Rate> {
  const latencies: number[] = [];
  let stored = 0;
  const started = performance.now();
  const until = started + seconds * 1000;
  const call = async (caller: number) => {
    while (performance.now() < until) {
      const before = performance.now();
      const count = await step(caller); // before the sum is read: others add to it meanwhile
      stored += count;
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  const elapsed = (performance.now() - started) / 1000;
  return { perSecond: stored / elapsed, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

/** The mean of two runs of the same, one before and one after what they are compared with. */
export const between = (a: Rate, b: Rate): Rate => ({
  perSecond: (a.perSecond + b.perSecond) / 2,
  p50Ms: (a.p50Ms + b.p50Ms) / 2,
  p99Ms: Math.max(a.p99Ms, b.p99Ms),
});
