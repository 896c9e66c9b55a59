/**
 * Starts work 0 to count - 1 in order, at most `ahead` at a time, and yields the results in order. Bounds what is held:
 * nothing is started before an earlier result was taken.
 */
export async function* readAhead<T>(
  count: bigint,
  ahead: number,
  start: (n: bigint) => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  const started: Promise<T>[] = [];
  for (let next = 0n; next < count || started.length > 0; ) {
    while (next < count && started.length < ahead) {
      const work = start(next);
      work.catch(() => {}); // told when its turn comes; until then it must not end the process as unhandled
      started.push(work);
      next += 1n;
    }
    yield (await started.shift()) as T;
  }
}
