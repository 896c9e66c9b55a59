import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { formatPolicy, policyOfLog } from '@behalf/verify';

const ROOT = join(import.meta.dirname, '../../..');
/** The command as it is published. */
const BIN = join(ROOT, 'src/verify/dist/command/bin.js');
const SERVER = join(import.meta.dirname, 'log-server.ts');

export interface HttpRun {
  readonly entries: number;
  readonly entryBytes: number;
  readonly threads: number;
  readonly seconds: number;
  readonly peakMegabytes: number; // of the verifying program; undefined where the system does not tell
}

/** Builds the command as it is published. */
export async function buildCommand(): Promise<void> {
  for (const project of ['src/verify/tsconfig.build.json', 'src/verify/command/tsconfig.build.json']) {
    await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), ['-p', join(ROOT, project)]);
  }
}

/** Has the command verify a log that another program serves on this machine. */
export async function verifyOverHttp(entries: number, entryBytes: number, threads: number): Promise<HttpRun> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  const server = spawn(process.execPath, ['--conditions=behalf-source', SERVER, String(entries), String(entryBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const { url, verifierKey } = JSON.parse(await firstLine(server));
    const policy = join(folder, 'policy');
    await writeFile(policy, formatPolicy(policyOfLog(verifierKey)));
    const started = performance.now();
    const args = [BIN, url, '--policy', policy, '--no-state', '--json', '--threads', String(threads)];
    const verifier = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const peak = watchMemory(verifier);
    const [code] = await once(verifier, 'exit');
    if (code !== 0) throw new Error(`the verification ended with status ${code}`);
    const seconds = (performance.now() - started) / 1000;
    return { entries, entryBytes, threads, seconds, peakMegabytes: peak() };
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new TypeError('expected a child with standard output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the log server ended before it listened');
}

/** The largest resident size seen, in MB, where /proc tells it. */
function watchMemory({ pid }: ChildProcess): () => number {
  let peak = 0;
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  }, 100);
  return () => {
    clearInterval(timer);
    return Math.round(peak);
  };
}
