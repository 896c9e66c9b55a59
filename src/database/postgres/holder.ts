import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DatabaseError } from '../errors.ts';
import type { Progress } from '../migrate.ts';
import { isRetryable } from '../retryable.ts';
import type { Places } from './cluster.ts';

/**
 * Who holds a data folder is told by PostgreSQL itself: the server that started it keeps one session open, named after
 * its process. A session ends with its process whatever happens to it, so nothing stale can be left behind, as in a file.
 */
const SESSION = 'behalf-holder-';
/** How long a PostgreSQL without holder is taken for one whose server is still connecting. */
const GRACE_MS = 2000;

/** What postmaster.pid says. */
interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
}

export function superuserConfig(password: string, host: string, port: number): pg.ClientConfig {
  return { user: 'postgres', database: 'postgres', password, host, port, connectionTimeoutMillis: 5000 };
}

/** The session that marks this process as the holder. */
export interface Holder {
  readonly client: pg.Client;
  /** Resolves when the session is gone, for whatever reason. */
  readonly ended: Promise<void>;
}

export async function hold(config: pg.ClientConfig): Promise<Holder> {
  const client = await connect({ ...config, application_name: `${SESSION}${process.pid}` });
  return { client, ended: new Promise((resolve) => client.once('end', () => resolve())) };
}

async function connect(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config);
  client.on('error', () => undefined); // its end is noticed by 'end' or by the next statement
  try {
    await client.connect();
  } catch (error) {
    throw isWrongPassword(error) ? wrongPassword(error) : error;
  }
  return client;
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '28P01';
}

function wrongPassword(cause: unknown): DatabaseError {
  return new DatabaseError(
    'configuration',
    'postgres.password in the data folder does not open the PostgreSQL beside it; restore the file that was made with it',
    { cause },
  );
}

/**
 * Makes sure nobody runs this cluster. Refuses (DatabaseError `in_use`) while another server holds it; stops a
 * PostgreSQL whose server died; removes what a machine that went down left behind.
 */
export async function clearTheWay(places: Places, password: string, onProgress: Progress): Promise<void> {
  const until = Date.now() + GRACE_MS;
  for (;;) {
    const found = await readPidFile(places);
    if (found === undefined || !isAlive(found.pid)) return; // PostgreSQL removes the file of a dead process itself
    const answer = await ask(places, found, password);
    if (answer.kind === 'held') throw inUse(places, answer.by);
    if (Date.now() > until) return settle(places, found, answer.kind, onProgress);
    await sleep(100);
  }
}

type Answer = { kind: 'held'; by: string } | { kind: 'unheld' } | { kind: 'silent' };

async function ask(places: Places, found: PidFile, password: string): Promise<Answer> {
  try {
    const client = await connect(superuserConfig(password, socketFolderOf(places, found), found.port));
    try {
      const { rows } = await client.query<{ name: string }>(
        `select application_name as name from pg_stat_activity where application_name like $1::text`,
        [`${SESSION}%`],
      );
      return rows[0] === undefined ? { kind: 'unheld' } : { kind: 'held', by: rows[0].name.slice(SESSION.length) };
    } finally {
      await client.end();
    }
  } catch (error) {
    if (isRetryable(error)) return { kind: 'silent' };
    throw error;
  }
}

async function settle(places: Places, found: PidFile, kind: Answer['kind'], onProgress: Progress): Promise<void> {
  const itself = await isPostgres(found.pid);
  if (kind === 'silent' && !itself) {
    // The machine or container went down, and another process got the number: PostgreSQL alone would refuse for ever.
    await rm(join(places.cluster, 'postmaster.pid'), { force: true });
    await rm(join(socketFolderOf(places, found), `.s.PGSQL.${found.port}.lock`), { force: true });
    return;
  }
  if (kind === 'silent' || !itself) {
    throw new DatabaseError(
      'in_use',
      `${places.dataDir} is in use by a PostgreSQL (process ${found.pid} where it runs) that is starting, stopping or out of reach; try again, stop it where it runs, or choose another folder with BEHALF_DATA_DIR`,
    );
  }
  onProgress(`stopping a PostgreSQL (process ${found.pid}) whose server is gone`);
  process.kill(found.pid, 'SIGINT');
  while (isAlive(found.pid) && (await readPidFile(places)) !== undefined) await sleep(50);
}

function inUse(places: Places, by: string): DatabaseError {
  return new DatabaseError(
    'in_use',
    `${places.dataDir} is in use by another behalf server, process ${by}; stop that one, or choose another folder with BEHALF_DATA_DIR`,
  );
}

/** pid, data directory, start time, port, socket folder, address: one a line. */
export async function readPidFile(places: Places): Promise<PidFile | undefined> {
  const text = await readFile(join(places.cluster, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const lines = text?.split('\n') ?? [];
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number.parseInt(lines[3] ?? '', 10) || 5432, socketFolder: lines[4]?.trim() || '.' };
}

export function socketFolderOf(places: Places, found: PidFile): string {
  return found.socketFolder === '.' ? places.cluster : found.socketFolder;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''); // ended meanwhile
  return /^\d+ \(postgres\) [^ZX]/.test(stat); // Z, X: dead, and nobody has asked yet how it ended
}
