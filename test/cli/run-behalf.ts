import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

const BEHALF = join(import.meta.dirname, '../../src/cli/behalf.ts');

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the command as a person would. */
export function startBehalf(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    ['--conditions=behalf-source', BEHALF, ...argv],
    {
      env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return child;
}

/** Runs it to its end. */
export async function runBehalf(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = startBehalf(argv, environment);
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const [out, err, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, out, err };
}
