import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DatabaseError } from '../errors.ts';
import type { Progress } from '../migrate.ts';
import { accountFor } from './account.ts';
import { findBinaries } from './binaries.ts';
import { ensureCluster, type Places, passwordOf, placesIn } from './cluster.ts';
import { clearTheWay } from './holder.ts';
import { socketFolderFor } from './socket.ts';
import { type RunningPostgres, supervise } from './supervisor.ts';

export interface StartPostgresOptions {
  /** Made when missing, closed to others. Everything of the database lies in it. */
  readonly dataDir: string;
  /** Also listen on 127.0.0.1 at this port; without it only on a Unix socket. */
  readonly port?: number;
  readonly onProgress?: Progress;
}

/**
 * Starts the embedded PostgreSQL on a data folder, as another user when this process is root's. It is restarted when it
 * dies, and stops with this process however that ends. DatabaseError: `in_use` when another server holds the folder,
 * `unsupported` where it cannot run, `configuration` for a folder that cannot be used, `unavailable` when it fails.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<RunningPostgres> {
  const places = placesIn(resolve(options.dataDir));
  try {
    return await start(places, options);
  } catch (error) {
    throw isOfFiles(error) ? unusable(places, error) : error;
  }
}

async function start(places: Places, { port, onProgress = () => undefined }: StartPostgresOptions) {
  await mkdir(places.dataDir, { recursive: true, mode: 0o700 });
  const account = await accountFor(places.cluster);
  const binaries = await findBinaries(account, places.dataDir);
  const password = await passwordOf(places);
  await ensureCluster(places, { binaries, account, password, onProgress });
  await clearTheWay(places, password, onProgress);
  const socket = await socketFolderFor(places.cluster, account);
  try {
    return await supervise({ places, binaries, account, password, socket, port, onProgress });
  } catch (error) {
    await socket.remove();
    await clearTheWay(places, password, onProgress); // two servers started at once: say who holds the folder
    throw error;
  }
}

function isOfFiles(error: unknown): error is Error {
  return error instanceof Error && 'path' in error && 'syscall' in error;
}

function unusable(places: Places, cause: Error): DatabaseError {
  return new DatabaseError(
    'configuration',
    `the data folder ${places.dataDir} cannot be used: ${cause.message}; make it this user's, or choose another one with BEHALF_DATA_DIR`,
    { cause },
  );
}
