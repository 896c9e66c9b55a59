import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rename, stat } from 'node:fs/promises';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { clusterName, type Places } from './cluster.ts';

export interface Listen {
  /** Where the Unix socket lies; '.' is the cluster itself. */
  readonly socketFolder: string;
  /** Also on 127.0.0.1 when given. */
  readonly tcpPort: number | undefined;
}

/** A running PostgreSQL that is our child. */
export interface Postmaster {
  readonly pid: number;
  /** Resolves when it is gone, for whatever reason. */
  readonly exited: Promise<void>;
  /** Ends sessions, writes a checkpoint, and waits. */
  stop(): Promise<void>;
}

const MAX_LOG_BYTES = 16 * 2 ** 20;

/**
 * Durable and quiet: every setting that durability rests on is fixed here whatever postgresql.conf says, and the log
 * holds no statement, parameter or row (a refused row would bring personal data along).
 */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  password_encryption: 'scram-sha-256',
  unix_socket_permissions: '0700',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_statement: 'none',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

/**
 * Starts PostgreSQL; whether it became ready shows by connecting. In its own session, so that a terminal's Ctrl-C
 * reaches the server alone, which stops PostgreSQL when its own work is done.
 */
export async function startPostmaster(
  places: Places,
  binaries: Binaries,
  account: Account | undefined,
  listen: Listen,
): Promise<Postmaster> {
  const log = await openLog(places.log);
  try {
    const child = spawn(binaries.postgres, ['-D', clusterName(places.cluster, account), ...flags(listen)], {
      ...account,
      cwd: places.cluster,
      env: {},
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await once(child, 'spawn');
    const watcher = watch(child.pid ?? 0, account);
    void exited.then(() => watcher.kill('SIGKILL'));
    child.unref();
    return { pid: child.pid ?? 0, exited, stop: () => stop(child, exited) };
  } finally {
    await log.close();
  }
}

function flags(listen: Listen): string[] {
  const settings = {
    ...SETTINGS,
    listen_addresses: listen.tcpPort === undefined ? '' : '127.0.0.1',
    port: String(listen.tcpPort ?? 5432),
    unix_socket_directories: listen.socketFolder,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/**
 * A shell that waits for the end of a pipe whose other end is this process. However this process ends, also by
 * SIGKILL, the pipe closes and the shell asks PostgreSQL to stop (SIGINT: fast shutdown, nothing committed is lost).
 */
function watch(pid: number, account: Account | undefined): ChildProcess {
  const watcher = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$1" 2>/dev/null', 'behalf-watch', String(pid)], {
    ...account,
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a watcher PostgreSQL would outlive a killed server; the next start finds and stops it.
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  watcher.unref();
  if (watcher.stdin !== null && 'unref' in watcher.stdin && watcher.stdin.unref instanceof Function) {
    watcher.stdin.unref();
  }
  return watcher;
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.ref();
  child.kill('SIGINT');
  await exited;
}

async function openLog(path: string) {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await rename(path, `${path}.1`);
  return open(path, 'a', 0o600);
}

/** The last words of PostgreSQL, for a message. */
export async function lastLines(places: Places): Promise<string> {
  const text = await readFile(places.log, 'utf8').catch(() => '');
  const lines = text.trim().split('\n').slice(-4);
  return lines.map((line) => line.replace(/^[-\d]+ [.:\d]+ \w+ \[\d+\] /, '')).join('; ') || 'it said nothing';
}
