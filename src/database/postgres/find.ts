import { resolve } from 'node:path';
import pg from 'pg';
import { isRetryable } from '../retryable.ts';
import { passwordOf, placesIn } from './cluster.ts';
import { isAlive, readPidFile, socketFolderOf } from './holder.ts';
import { ownerUrl } from './owner.ts';

/**
 * The address of the embedded PostgreSQL that a server runs on this data folder now; undefined when none does. For
 * commands beside a running server. Needs the rights of that server's user: the password is read from the folder.
 */
export async function findPostgres(dataDir: string): Promise<string | undefined> {
  const places = placesIn(resolve(dataDir));
  const found = await readPidFile(places);
  if (found === undefined || !isAlive(found.pid)) return undefined;
  const url = ownerUrl(await passwordOf(places), socketFolderOf(places, found), found.port);
  return (await answers(url)) ? url : undefined;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined); // told by connect
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (isRetryable(error)) return false;
    throw error;
  } finally {
    await client.end();
  }
}
