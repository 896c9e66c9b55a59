import { type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, lstat, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
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

/** The password of the data folder, made with its first use and never changed. */
export async function passwordOf(places: Places): Promise<string> {
  const password = randomBytes(32).toString('base64url');
  try {
    await writeFile(places.passwordFile, `${password}\n`, { flag: 'wx', mode: 0o600, flush: true });
    return password;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const kept = (await readFile(places.passwordFile, 'utf8')).trim();
  if (kept === '') {
    throw new DatabaseError('configuration', `${places.passwordFile} is empty; restore it, or set DATABASE_URL`);
  }
  return kept;
}

/**
 * Makes the cluster unless it is there. It gets its name when it is complete and on disk: a crash leaves
 * `postgres.new`, which the next start throws away.
 */
export async function ensureCluster(
  places: Places,
  binaries: Binaries,
  account: Account | undefined,
  password: string,
  onProgress: Progress,
): Promise<void> {
  if ((await lstat(places.cluster).catch(() => undefined)) !== undefined) return checkCluster(places);
  onProgress(`making a PostgreSQL ${MAJOR} database in ${places.cluster}`);
  const unfinished = `${places.cluster}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  if (account !== undefined) await chown(unfinished, account.uid, account.gid);
  await initdb(unfinished, binaries, account, password);
  await rename(unfinished, places.cluster);
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
async function initdb(
  folder: string,
  binaries: Binaries,
  account: Account | undefined,
  password: string,
): Promise<void> {
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
