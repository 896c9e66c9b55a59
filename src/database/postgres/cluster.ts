import { type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, link, lstat, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DatabaseError } from '../errors.ts';
import type { Progress } from '../migrate.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';

/** Where things lie in a data folder. The cluster is its account's; the rest is readable by the server alone. */
export interface Places {
  readonly dataDir: string;
  readonly cluster: string;
  readonly passwordFile: string;
  readonly log: string;
}

export function placesIn(dataDir: string): Places {
  return {
    dataDir,
    cluster: join(dataDir, 'postgres'),
    passwordFile: join(dataDir, 'postgres.password'),
    log: join(dataDir, 'postgres.log'),
  };
}

/**
 * How PostgreSQL names its cluster. As root it names the folder it was started in: root enters any folder and hands it
 * over, while the account itself could not walk there through a closed home folder. Only Linux offers such a name.
 */
export function clusterName(cluster: string, account: Account | undefined): string {
  return account !== undefined && process.platform === 'linux' ? '/proc/self/cwd' : cluster;
}

/**
 * The password of the data folder, made with its first use and never changed. A cluster without it is not given a new one:
 * then another folder's file, or none, was restored.
 */
export async function passwordOf(places: Places): Promise<string> {
  const kept = await readFile(places.passwordFile, 'utf8').catch(ifMissing);
  if (kept !== undefined) return kept.trim();
  if (await isThere(places.cluster)) {
    throw new DatabaseError(
      'configuration',
      `${places.passwordFile} is missing and ${places.cluster} is there; restore the file that was made with it`,
    );
  }
  const unnamed = `${places.passwordFile}.${randomBytes(6).toString('hex')}`;
  await writeFile(unnamed, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600, flush: true });
  try {
    await link(unnamed, places.passwordFile); // whole or not at all; of two servers that start at once, one wins
  } catch (error) {
    if (!hasCode(error, ['EEXIST'])) throw error;
  } finally {
    await rm(unnamed);
  }
  return (await readFile(places.passwordFile, 'utf8')).trim();
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(ifMissing)) !== undefined;
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

export interface ClusterOptions {
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly password: string;
  readonly onProgress: Progress;
}

/**
 * Makes the cluster unless it is there. It gets its name when it is complete and on disk: a crash before leaves a folder
 * `postgres.new-…`, which a later start throws away. Of two servers that make it at once, one's is kept.
 */
export async function ensureCluster(places: Places, options: ClusterOptions): Promise<void> {
  if (await isThere(places.cluster)) return checkCluster(places);
  options.onProgress(`making a PostgreSQL ${MAJOR} database in ${places.cluster}`);
  await removeUnfinished(places);
  const unfinished = await mkdtemp(`${places.cluster}${UNFINISHED}`);
  try {
    if (options.account !== undefined) await chown(unfinished, options.account.uid, options.account.gid);
    await initdb(unfinished, options);
    await rename(unfinished, places.cluster);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!hasCode(error, ['ENOTEMPTY', 'EEXIST'])) throw error;
  }
  await sync(places.dataDir); // else a power cut could bring the old name back, and a later start would throw it away
}

const UNFINISHED = '.new-';
/** Far longer than initdb takes: younger ones may be another server's. */
const ABANDONED_MS = 3_600_000;

async function removeUnfinished({ dataDir, cluster }: Places): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const path = join(dataDir, name);
    if (!path.startsWith(`${cluster}${UNFINISHED}`)) continue;
    const found = await lstat(path).catch(ifMissing); // another server's may have got its name meanwhile
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS)
      await rm(path, { recursive: true, force: true });
  }
}

async function sync(folder: string): Promise<void> {
  const opened = await open(folder, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** The major version this program's PostgreSQL reads. */
const MAJOR = '18';

async function checkCluster(places: Places): Promise<void> {
  const version = (await readFile(join(places.cluster, 'PG_VERSION'), 'utf8')).trim();
  if (version === MAJOR) return;
  throw new DatabaseError(
    'unsupported',
    `${places.cluster} was made by PostgreSQL ${version}, this program brings ${MAJOR}; run it with the program that made it, or move the data over and set DATABASE_URL`,
  );
}

/** Byte order and UTF-8 on every machine, so that the same data sorts the same everywhere. */
const INITDB = [
  '--username=postgres',
  '--pwfile=/dev/stdin',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--data-checksums',
];

/** The password travels in a file that has no name any more when initdb starts, owned by the account that reads it. */
async function initdb(folder: string, { binaries, account, password }: ClusterOptions): Promise<void> {
  const named = `${folder}-password`;
  await rm(named, { force: true });
  await writeFile(named, `${password}\n`, { flag: 'wx', mode: 0o600 });
  if (account !== undefined) await chown(named, account.uid, account.gid);
  const file = await open(named, 'r');
  try {
    await rm(named);
    await run(binaries.initdb, [...INITDB, '-D', clusterName(folder, account)], {
      ...account,
      cwd: folder,
      env: {},
      stdio: [file.fd, 'ignore', 'pipe'],
    });
  } finally {
    await file.close();
  }
}

async function run(program: string, args: readonly string[], options: SpawnOptions): Promise<void> {
  const child = spawn(program, args, options);
  const closed = once(child, 'close');
  const said = child.stderr === null ? '' : await text(child.stderr);
  const [code, signal] = await closed;
  if (code === 0) return;
  throw new DatabaseError('unavailable', `initdb failed (${signal ?? code}): ${said.trim().slice(-2000)}`);
}
