import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account } from './account.ts';

/** Where PostgreSQL listens and where we connect. */
export interface SocketFolder {
  /** As PostgreSQL is told. */
  readonly listen: string;
  /** As a client is told. */
  readonly connect: string;
  remove(): Promise<void>;
}

/** What a socket's address holds on every system, in bytes (sun_path is 104 on BSD and macOS, 108 on Linux). */
const MAX_PATH_BYTES = 103;

/**
 * The cluster itself, which is closed to others and goes wherever the data goes; for a path too long for a socket, a
 * folder of its own among the temporary ones.
 */
export async function socketFolderFor(cluster: string, account: Account | undefined): Promise<SocketFolder> {
  if (Buffer.byteLength(join(cluster, '.s.PGSQL.65535')) <= MAX_PATH_BYTES) {
    return { listen: '.', connect: cluster, remove: async () => undefined };
  }
  const folder = await mkdtemp(join(tmpdir(), 'behalf-'));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  return { listen: folder, connect: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
