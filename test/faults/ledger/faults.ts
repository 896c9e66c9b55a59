import { setTimeout as sleep } from 'node:timers/promises';
import { APPEND } from '../../../src/ledger/sql/append.ts';
import type { CuttingProxy } from '../../ledger/cutting-proxy.ts';
import type { Victim } from './postgres.ts';
import type { Server } from './server.ts';

/** What a fault may reach. */
export interface Reach {
  readonly victim: Victim;
  readonly proxy: CuttingProxy;
  /** Two of them, both under load. */
  readonly servers: readonly Server[];
  /** Kills one and starts another in its place. */
  replace(at: number): Promise<void>;
  readonly random: (below: number) => number;
}

const serverOf = ({ servers, random }: Reach): Server => {
  const server = servers[random(servers.length)];
  if (server === undefined) throw new TypeError('no server');
  return server;
};

/** Every fault leaves all as it found it, but for what it broke for good. */
export const FAULTS: Readonly<Record<string, (reach: Reach) => Promise<void>>> = {
  'server killed': (reach) => reach.replace(reach.random(reach.servers.length)),
  'all servers killed': async (reach) => {
    await Promise.all(reach.servers.map((_, at) => reach.replace(at)));
  },
  'server paused': async (reach) => {
    const server = serverOf(reach);
    server.pause();
    await sleep(200 + reach.random(800));
    server.resume();
  },
  'paused leader resumes into a killed PostgreSQL': async (reach) => {
    const server = serverOf(reach);
    server.pause();
    await reach.victim.kill('postmaster');
    await sleep(500);
    server.resume();
  },
  'PostgreSQL killed': ({ victim }) => victim.kill('postmaster'),
  'PostgreSQL process killed': ({ victim }) => victim.kill('backend'),
  'PostgreSQL restarted': ({ victim }) => victim.restart(),
  'PostgreSQL paused': ({ victim, random }) => victim.pause(200 + random(800)),
  'connections cut': async ({ victim }) => {
    await victim.database
      .pool('owner')
      .query(
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'behalf-writer'`,
      );
  },
  'commit failed, not persisted': ({ proxy }) => proxy.cutNext(APPEND, 'before'),
  'commit failed, persisted': ({ proxy }) => proxy.cutNext(APPEND, 'after'),
  'checkpoint not stored': ({ proxy }) => proxy.cutNext('insert into behalf.checkpoint', 'before'),
  'disk full': async ({ victim, random }) => {
    if (victim.hasOwnDisk) await victim.fillDisk(300 + random(700));
  },
};
