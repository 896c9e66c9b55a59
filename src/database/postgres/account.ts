import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DatabaseError } from '../errors.ts';

/** The user and group PostgreSQL runs as when that is not our own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Users that exist for this on common systems, the fitting ones first. None is ever created. */
const CANDIDATES = ['postgres', '_postgres', 'nobody'] as const;

/**
 * Who runs PostgreSQL, which refuses root: undefined is the user of this process. An existing cluster is run by its
 * owner; a new one, when this process is root's, by the first candidate the system knows (DatabaseError `configuration`).
 */
export async function accountFor(cluster: string): Promise<Account | undefined> {
  const owner = await ownerOf(cluster);
  const us = process.getuid?.() ?? -1;
  if (us !== 0) return checkOurs(cluster, owner, us);
  if (owner?.uid === 0) {
    throw new DatabaseError(
      'configuration',
      `${cluster} belongs to root, and PostgreSQL refuses to run as root; give it back to the user it was made by: chown -R postgres ${cluster}`,
    );
  }
  return owner ?? (await systemAccount());
}

async function ownerOf(cluster: string): Promise<Account | undefined> {
  const found = await stat(cluster).catch((error: NodeJS.ErrnoException): undefined => {
    if (error.code !== 'ENOENT') throw error;
  });
  return found && { uid: found.uid, gid: found.gid };
}

function checkOurs(cluster: string, owner: Account | undefined, us: number): undefined {
  if (owner === undefined || owner.uid === us) return undefined;
  throw new DatabaseError(
    'configuration',
    `${cluster} belongs to user ${owner.uid} and this process runs as user ${us}; run as that user or as root, or choose another folder with BEHALF_DATA_DIR`,
  );
}

/** `id` also asks directories that /etc/passwd does not list. */
async function systemAccount(): Promise<Account> {
  for (const name of CANDIDATES) {
    const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { uid, gid };
  }
  throw new DatabaseError(
    'configuration',
    `PostgreSQL refuses to run as root and this system has none of the users ${CANDIDATES.join(', ')}; add one (useradd --system postgres), run behalf as another user, or set DATABASE_URL`,
  );
}

async function idOf(option: '-u' | '-g', name: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)('id', [option, name]);
    return Number.parseInt(stdout, 10);
  } catch {
    return undefined; // the system does not know the name
  }
}
