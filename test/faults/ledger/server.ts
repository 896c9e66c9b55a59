import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What a server process is asked, and what it answers; call -1 says that it is open. */
export interface Asked {
  readonly call: number;
  readonly ids: readonly string[];
}
export type Answer =
  | { readonly call: number; readonly kind: 'acknowledged'; readonly indexes: readonly number[] }
  | { readonly call: number; readonly kind: 'refused' };

export interface ServerOptions {
  readonly url: string;
  readonly keyFolder: string;
  readonly logId: number;
}

/** A server in a process of its own. */
export class Server {
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, (answer: Answer) => void>();
  #next = 0;
  #killed = false;
  readonly #opened: Promise<unknown>;

  constructor({ url, keyFolder, logId }: ServerOptions, onFault: (says: string) => void) {
    const script = join(import.meta.dirname, 'server-process.ts');
    this.#child = fork(script, [url, keyFolder, String(logId)], { execArgv: ['--conditions=behalf-source'] });
    this.#opened = new Promise((resolve) => this.#calls.set(-1, resolve));
    this.#child.on('message', (answer: Answer) => this.#settle(answer));
    this.#child.on('exit', (code) => {
      if (!this.#killed) onFault(`a server ended by itself with status ${code}`);
      for (const call of [...this.#calls.keys()]) this.#settle({ call, kind: 'refused' });
    });
  }

  /** Resolves when it is open, or gone. */
  get opened(): Promise<unknown> {
    return this.#opened;
  }

  /** Refused: not known to be stored, as when the server is killed meanwhile. */
  append(ids: readonly string[]): Promise<Answer> {
    const call = this.#next++;
    if (this.#killed) return Promise.resolve({ call, kind: 'refused' });
    return new Promise((resolve) => {
      this.#calls.set(call, resolve);
      this.#child.send({ call, ids } satisfies Asked, () => undefined); // one that is gone is told by 'exit'
    });
  }

  async kill(): Promise<void> {
    this.#killed = true;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  #settle(answer: Answer): void {
    const resolve = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    resolve?.(answer);
  }
}
