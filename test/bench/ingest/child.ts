import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A process of the measurement, one answer for each message. */
export interface Child<Q, A> {
  /** Its first message. */
  readonly first: Promise<A>;
  ask<R = A>(question: Q): Promise<R>;
  end(): Promise<void>;
}

/** `nodeOptions`: what node is started with beside what TypeScript needs, such as --cpu-prof. */
export function startChild<Q, A>(
  file: string,
  argument: string,
  nodeOptions: readonly string[] = [],
): Child<Q | 'stop', A> {
  const child = fork(file, [argument], { execArgv: ['--conditions=behalf-source', ...nodeOptions] });
  const gone = once(child, 'exit');
  const answer = async <R>(): Promise<R> => {
    const [said] = await Promise.race([once(child, 'message'), gone.then(([code]) => failed(file, code))]);
    return said;
  };
  return {
    first: answer<A>(),
    async ask<R>(question: Q | 'stop') {
      child.send(question as object);
      return answer<R>();
    },
    async end() {
      if (child.connected && child.exitCode === null) child.send('stop');
      await gone;
    },
  };
}

function failed(file: string, code: ChildProcess['exitCode']): never {
  throw new Error(`${file} ended with status ${code} before it answered`);
}
