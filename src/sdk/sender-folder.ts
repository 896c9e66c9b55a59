import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFolder } from './spool-lock.ts';

/** Most processes of one service on one machine that spool into one folder. */
const MAX_SENDERS = 64;

/** The folder of one sender, locked for this process. */
export interface SenderFolder {
  readonly folder: string;
  /** Its name as a reporter, the same over restarts unless the host gives its own. */
  readonly instance: string;
}

/**
 * Takes the first folder of this service that no living process holds, so that a process that is started again goes on
 * where it ended: same instance, next sequence number. Throws what the file system says, and when all are held.
 */
export function openSenderFolder(spool: string, service: string, instance: string | undefined): SenderFolder {
  for (let index = 0; index < MAX_SENDERS; index += 1) {
    const folder = join(serviceFolder(spool, service), String(index));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (lockFolder(folder)) return { folder, instance: instance ?? ownInstance(folder) };
  }
  throw new Error(`spool: all ${MAX_SENDERS} folders of this service are held by living processes`);
}

/** Folders that dead processes left, locked for this one now: what waits there is to be delivered. */
export function takeAbandonedFolders(spool: string, service: string): readonly string[] {
  const parent = serviceFolder(spool, service);
  return readdirSync(parent)
    .filter((name) => /^\d{1,2}$/.test(name))
    .map((name) => join(parent, name))
    .filter((folder) => readdirSync(folder).some((name) => name.endsWith('.spool')) && lockFolder(folder));
}

/** A service name may hold anything; what is too long for a file name stands as its digest. */
function serviceFolder(spool: string, service: string): string {
  const name = `s-${encodeURIComponent(service)}`;
  return join(spool, name.length <= 200 ? name : `d-${createHash('sha256').update(service).digest('hex')}`);
}

function ownInstance(folder: string): string {
  const file = join(folder, 'instance');
  try {
    const found = readFileSync(file, 'utf8');
    if (/^[0-9a-f-]{36}$/.test(found)) return found;
  } catch {
    // the first run in this folder
  }
  const instance = randomUUID();
  writeFileSync(file, instance, { mode: 0o600 });
  return instance;
}
