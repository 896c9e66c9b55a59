import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, type TestContext } from 'node:test';
import pg from 'pg';
import { startPostgres } from '#database';
import type { Account } from '../../src/database/postgres/account.ts';
import { afterAllOthers } from '../database.ts';

/** A folder only its owner may enter, removed after the test: a PostgreSQL whose server was killed may be writing its last. */
export async function closedFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-database-'));
  afterAllOthers(t, () => rm(folder, { recursive: true, force: true, maxRetries: 30, retryDelay: 100 }));
  return folder;
}

let prepared: Promise<string> | undefined;
after(async () => {
  if (prepared !== undefined) await rm(await prepared, { recursive: true, force: true });
});

/**
 * A data folder in which a server has been before. Made once for a test file and copied for each test with all owners
 * and modes, as making a cluster takes most of a test's time.
 */
export async function usedFolder(t: TestContext): Promise<string> {
  prepared ??= prepare();
  const folder = await closedFolder(t);
  execFileSync('cp', ['-a', `${await prepared}/.`, folder]);
  return folder;
}

async function prepare(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-database-'));
  await (await startPostgres({ dataDir: folder })).stop();
  return folder;
}

/** An embedded PostgreSQL on a used or given data folder, stopped after the test, and what it told. */
export async function embedded(t: TestContext, dataDir?: string) {
  const folder = dataDir ?? (await usedFolder(t));
  const told: string[] = [];
  const postgres = await startPostgres({ dataDir: folder, onProgress: (says) => told.push(says) });
  t.after(() => postgres.stop());
  return { dataDir: folder, postgres, told };
}

/** One statement as the owner. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // told by the statement
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A server in its own process, killed after the test. */
export async function serverProcess(t: TestContext, dataDir: string, account?: Account) {
  const child = spawn(
    process.execPath,
    ['--conditions=behalf-source', join(import.meta.dirname, 'server-process.ts'), dataDir],
    { ...account, stdio: ['pipe', 'pipe', 'pipe'], env: {} },
  );
  t.after(() => end(child, 'SIGKILL'));
  const complaint = text(child.stderr);
  const first = createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const { value: url } = await first;
  if (typeof url !== 'string') throw new Error(`the server process ended: ${await complaint}`);
  return { url, child, stop: () => stopByInput(child) };
}

async function stopByInput(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

/** Ends a process with a signal and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

export function postmasterPid(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10);
}
