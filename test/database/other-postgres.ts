import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRetryable } from '#database';
import { accountFor } from '../../src/database/postgres/account.ts';
import { ask, closedFolder, end } from './embedded.ts';

/**
 * A PostgreSQL from another installation's folder of programs, stopped and removed after the test. The address is its
 * superuser's: whoever reaches the socket, below a folder closed to others, is let in.
 */
export async function otherPostgres(t: TestContext, bin: string): Promise<string> {
  const cluster = await closedFolder(t);
  const account = await accountFor(join(cluster, 'new'));
  if (account !== undefined) chownSync(cluster, account.uid, account.gid);
  const as = { ...account, cwd: cluster, env: {} };
  execFileSync(join(bin, 'initdb'), ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], as);
  const flags = ['-D', cluster, '-c', 'listen_addresses=', '-c', 'unix_socket_directories=.', '-c', 'fsync=off'];
  const child = spawn(join(bin, 'postgres'), flags, { ...as, stdio: 'ignore' });
  await once(child, 'spawn');
  t.after(() => end(child, 'SIGINT'));
  const url = `postgres://postgres@localhost/postgres?host=${encodeURIComponent(cluster)}`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await ask(url, 'select 1');
      return url;
    } catch (error) {
      if (!isRetryable(error) || attempt === 200 || child.exitCode !== null) throw error;
      await sleep(50);
    }
  }
}
