import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Locks this thread holds. */
const held = new Set<string>();

/**
 * Takes the folder for this process, for as long as it lives; false when a living process has it. A lock names its process
 * by pid, start time and boot where the system tells them, so that a pid used again is not taken for the old process.
 * Processes that do not see one another's pids (containers) must not share a folder.
 */
export function lockFolder(folder: string): boolean {
  const lock = join(folder, 'lock');
  if (held.has(lock)) return false;
  const mine = join(folder, `lock.${process.pid}`);
  writeFileSync(mine, identity(process.pid), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (link(mine, lock)) {
        held.add(lock);
        return true;
      }
      const holder = read(lock);
      if (holder !== undefined && isAlive(holder)) return false;
      if (holder !== undefined && !takeAway(lock, holder)) return false;
    }
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

export function unlockFolder(folder: string): void {
  const lock = join(folder, 'lock');
  if (held.delete(lock)) rmSync(lock, { force: true });
}

/** Another process may take the dead one's lock away at the same time and set its own: that one is put back. */
function takeAway(lock: string, dead: string): boolean {
  const aside = `${lock}.dead.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return true; // gone already: try again
  }
  const isTheDeadOne = read(aside) === dead;
  if (!isTheDeadOne) link(aside, lock);
  rmSync(aside, { force: true });
  return isTheDeadOne;
}

/** A hard link is made or not, never half: false when `to` is there. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isAlive(holder: string): boolean {
  const pid = Number.parseInt(holder, 10);
  if (!(pid > 0)) return false;
  const now = identity(pid);
  const isExact = now.includes(' ') && holder.includes(' ');
  if (isExact) return now === holder;
  return pid !== process.pid && exists(pid);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** `pid start-time boot-id` where there is a /proc (proc_pid_stat(5), field 22), else the pid alone. */
function identity(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  const started = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim();
  return started === undefined || boot === undefined ? `${pid}` : `${pid} ${started} ${boot}`;
}
