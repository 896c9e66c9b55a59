import type { Terminal } from './command.ts';

/** Tells how far a long piece of work is, at most a few times a second, on one line of the error stream. */
export interface Progress {
  (done: bigint | number, all?: bigint | number): void;
  /** Leaves the last figure standing. */
  end(): void;
}

export function progressLine(terminal: Terminal, what: string): Progress {
  let [last, text] = [0, ''];
  const write = () => terminal.err(`${terminal.color ? '\r\u001b[K' : ''}${text}${terminal.color ? '' : '\n'}`);
  const tell = (done: bigint | number, all?: bigint | number) => {
    text = `${what}: ${done}${all === undefined ? '' : ` of ${all}`}`;
    const now = Date.now();
    if (now - last < (terminal.color ? 200 : 2000)) return;
    last = now;
    write();
  };
  const end = () => {
    if (text === '') return;
    write();
    if (terminal.color) terminal.err('\n');
  };
  return Object.assign(tell, { end });
}
