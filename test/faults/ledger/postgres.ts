import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDatabase, type Database, migrate, startPostgres } from '#database';

const DISK_BYTES = 512 * 2 ** 20;

/** A PostgreSQL of its own, to be killed, paused and starved; on a small disk where this system lets us mount one. */
export interface Victim {
  readonly url: string;
  readonly database: Database;
  /** False where no disk could be mounted: then it cannot be filled. */
  readonly hasOwnDisk: boolean;
  /** SIGKILL of the postmaster or of one of its processes; it is started again by src/database. */
  kill(which: 'postmaster' | 'backend'): Promise<void>;
  /** Fast shutdown; it is started again by src/database. */
  restart(): Promise<void>;
  /** SIGSTOP of every process, SIGCONT after a while. */
  pause(forMs: number): Promise<void>;
  /** Nothing more fits for a while. */
  fillDisk(forMs: number): Promise<void>;
  close(): Promise<void>;
}

export async function startVictim(): Promise<Victim> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-faults-'));
  const hasOwnDisk = mount(folder);
  if (hasOwnDisk) await chmod(folder, 0o711);
  const postgres = await startPostgres({ dataDir: join(folder, 'data') });
  await migrate(postgres.url);
  const database = connectDatabase({ url: postgres.url });
  const processes = () => processesOf(join(folder, 'data', 'postgres'));
  return {
    url: postgres.url,
    database,
    hasOwnDisk,
    async kill(which) {
      const [postmaster, ...backends] = await processes();
      const pid = which === 'postmaster' ? postmaster : backends[Math.floor(Math.random() * backends.length)];
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    async restart() {
      const [postmaster] = await processes();
      if (postmaster !== undefined) process.kill(postmaster, 'SIGINT');
    },
    async pause(forMs) {
      const pids = await processes();
      signal(pids, 'SIGSTOP');
      await sleep(forMs);
      signal(pids, 'SIGCONT');
    },
    async fillDisk(forMs) {
      const ballast = join(folder, 'ballast');
      await fill(folder, ballast);
      await sleep(forMs);
      await rm(ballast);
    },
    async close() {
      await database.close();
      await postgres.stop();
      if (hasOwnDisk) execFileSync('umount', [folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a small disk of its own was mounted here: only root may. */
function mount(folder: string): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // a container without the privilege; the run says that the disk was not filled
  }
}

async function fill(folder: string, ballast: string): Promise<void> {
  await writeFile(ballast, '');
  const { bavail, bsize } = await statfs(folder);
  await truncate(ballast, 0);
  await writeFile(ballast, Buffer.alloc(Math.max(0, bavail - 1) * bsize)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error; // PostgreSQL took the rest first
  });
}

/** The postmaster of a cluster, then its processes. */
async function processesOf(cluster: string): Promise<number[]> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const postmaster = Number(text.split('\n')[0]);
  if (!Number.isInteger(postmaster) || postmaster <= 1) return []; // between two lives
  const children: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    if (Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]) === postmaster) children.push(Number(name));
  }
  return [postmaster, ...children];
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
