import { useEffect, useState } from 'preact/hooks';
import { Problem } from './api.ts';

/** Something that comes from the server. */
export type Remote<T> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'ready'; readonly value: T };

type Load<T> = (key: string, signal: AbortSignal) => Promise<T>;

/**
 * Loads anew whenever the key changes or `again` is called; what a later load overtakes is aborted. `load` must be the
 * same function at every render.
 */
export function useRemote<T>(key: string, load: Load<T>): [remote: Remote<T>, again: () => void] {
  const [turn, setTurn] = useState(0);
  const [settled, settle] = useState<{ readonly of: string; readonly remote: Remote<T> }>();
  const of = `${turn} ${key}`;
  useEffect(() => {
    const abort = new AbortController();
    const done = (remote: Remote<T>) => {
      if (!abort.signal.aborted) settle({ of, remote });
    };
    load(of.slice(of.indexOf(' ') + 1), abort.signal).then(
      (value) => done({ kind: 'ready', value }),
      (error: unknown) => done({ kind: 'failed', problem: asProblem(error) }),
    );
    return () => abort.abort();
  }, [of, load]);
  return [settled?.of === of ? settled.remote : { kind: 'loading' }, () => setTurn(turn + 1)];
}

/** Anything thrown, told to the reader: nothing is swallowed. */
export const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem({
        says: error instanceof Error ? error.message : String(error),
        advice: 'This is a fault of the page. Reload it; the same is on the command line: behalf chains',
        cause: error,
      });
