import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** How to start one of the demo's programs. */
export interface Program {
  readonly file: string; // beside this one
  readonly args?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunningService {
  readonly url: string;
  readonly pid: number;
  /** Asks it to stop, waits, and ends it by force after ten seconds. Throws when it did not end well. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

/** Starts a service and waits until it says where it listens. Throws, with what it wrote, when it does not. */
export async function startService(program: Program): Promise<RunningService> {
  const child = start(program);
  const errors = lastWords(child);
  try {
    const { port } = JSON.parse(await firstLine(child, program.file)) as { readonly port: number };
    return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => stop(child, program.file, errors) };
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`${program.file} did not start: ${errors()}`, { cause });
  }
}

/** Runs a program to its end and returns the JSON it printed. Throws, with what it wrote, when it fails. */
export async function runProgram(program: Program): Promise<unknown> {
  const child = start(program);
  const errors = lastWords(child);
  const ended = once(child, 'close');
  const line = await firstLine(child, program.file).catch(() => undefined); // told below, with its status and last words
  const [code] = await ended;
  if (code !== 0 || line === undefined) throw new Error(`${program.file} failed with status ${code}: ${errors()}`);
  return JSON.parse(line);
}

/** Only what it needs of our environment: a path, and where temporary files go. Its standard input ends when we do. */
function start({ file, args = {}, secret, environment = {} }: Program): Child {
  const { PATH = '', TMPDIR } = process.env;
  const command = [
    '--conditions=behalf-source',
    join(import.meta.dirname, file),
    ...Object.entries(args).map(([name, value]) => `--${name}=${value}`),
  ];
  return spawn(process.execPath, command, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH,
      ...(TMPDIR === undefined ? {} : { TMPDIR }),
      ...(secret === undefined ? {} : { DEMO_SECRET: secret }),
      ...environment,
    },
  });
}

async function firstLine(child: Child, file: string): Promise<string> {
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  const ended = once(child, 'close', { signal }).then(([code]) => {
    throw new Error(`${file} ended with status ${code}`);
  });
  const [line] = await Promise.race([once(lines, 'line', { signal }), ended]);
  ended.catch(() => undefined); // once it has spoken, its end is somebody else's concern
  return String(line);
}

/** Keeps the end of what a program writes to standard error, for the message when it fails. */
function lastWords(child: Child): () => string {
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4_000);
  });
  return () => text.trim();
}

async function stop(child: Child, file: string, errors: () => string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(force);
  }
  if (child.exitCode !== 0)
    throw new Error(
      `${file} ended with ${child.exitCode ?? child.signalCode}, its last observations may be lost: ${errors()}`,
    );
}
