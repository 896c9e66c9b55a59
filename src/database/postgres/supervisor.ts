import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from '../errors.ts';
import type { Progress } from '../migrate.ts';
import { isRetryable } from '../retryable.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import type { Places } from './cluster.ts';
import { type Holder, hold, superuserConfig } from './holder.ts';
import { ensureOwner, ownerUrl } from './owner.ts';
import { lastLines, type Postmaster, startPostmaster } from './postmaster.ts';
import type { SocketFolder } from './socket.ts';

/** A PostgreSQL of our own. */
export interface RunningPostgres {
  /** Connects as the owner of the database `behalf`, no superuser; holds the password. */
  readonly url: string;
  /** Ends sessions, writes a checkpoint, and waits until PostgreSQL is gone. */
  stop(): Promise<void>;
}

interface Supervised {
  readonly places: Places;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly password: string;
  readonly socket: SocketFolder;
  readonly port: number | undefined;
  readonly onProgress: Progress;
}
interface Life {
  readonly postmaster: Postmaster;
  readonly holder: Holder;
}

const LONGEST_PAUSE_MS = 10_000;

/** Starts PostgreSQL, and starts it again whenever it dies, until `stop`. The first start must succeed. */
export async function supervise(options: Supervised): Promise<RunningPostgres> {
  const supervisor = new Supervisor(options, await begin(options));
  return { url: ownerUrl(options.password, options.socket.connect, options.port), stop: () => supervisor.stop() };
}

class Supervisor {
  readonly #options: Supervised;
  readonly #running: Promise<void>;
  readonly #stopping = new AbortController();
  #life: Life;
  #stopped: Promise<void> | undefined;

  constructor(options: Supervised, life: Life) {
    this.#options = options;
    this.#life = life;
    this.#running = this.#keepRunning();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running; // a start that is under way ends first
    await end(this.#life);
    await this.#options.socket.remove();
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    for (;;) {
      await Promise.race([ended(this.#life), stopped]);
      if (signal.aborted) return;
      await this.#revive(signal);
    }
  }

  /** Without end: while PostgreSQL is away, callers get retryable errors and nothing is acknowledged. */
  async #revive(signal: AbortSignal): Promise<void> {
    const { onProgress } = this.#options;
    onProgress('PostgreSQL ended unexpectedly; starting it again');
    for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        this.#life = await resume(this.#options, this.#life);
        onProgress('PostgreSQL runs again');
        return;
      } catch (error) {
        onProgress(`PostgreSQL did not start: ${error instanceof Error ? error.message : String(error)}`);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined); // aborted: the loop's own condition ends it
      }
    }
  }
}

/** The holding session or PostgreSQL itself is gone. */
function ended({ postmaster, holder }: Life): Promise<void> {
  return Promise.race([postmaster.exited, holder.ended]);
}

/** After a crash of one session PostgreSQL lives on and only our session is gone; else it is started. */
async function resume(options: Supervised, { postmaster }: Life): Promise<Life> {
  const gone = await Promise.race([postmaster.exited.then(() => true), sleep(500, false)]);
  return gone ? begin(options) : { postmaster, holder: await waitUntilReady(options, postmaster) };
}

async function begin(options: Supervised): Promise<Life> {
  const { places, binaries, account, socket, port } = options;
  const postmaster = await startPostmaster(places, binaries, account, { socketFolder: socket.listen, tcpPort: port });
  try {
    const holder = await waitUntilReady(options, postmaster);
    await ensureOwner(holder.client, options.password);
    return { postmaster, holder };
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}

/** As long as PostgreSQL lives: recovery after a crash may take minutes. */
async function waitUntilReady({ places, password, socket, port, onProgress }: Supervised, postmaster: Postmaster) {
  let exited = false;
  void postmaster.exited.then(() => {
    exited = true;
  });
  for (let attempt = 1; ; attempt += 1) {
    try {
      const holder = await hold(superuserConfig(password, socket.connect, port ?? 5432));
      if ((await postmasterOf(holder)) === postmaster.pid) return holder;
      await holder.client.end(); // another server was faster: ours is about to end
    } catch (error) {
      if (!exited && !isRetryable(error)) throw error;
    }
    if (exited) throw new DatabaseError('unavailable', `PostgreSQL did not start: ${await lastLines(places)}`);
    if (attempt % 100 === 0) onProgress('PostgreSQL is recovering');
    await sleep(50);
  }
}

/** Who serves this session: the socket's path is the same for every PostgreSQL on this cluster. */
async function postmasterOf({ client }: Holder): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(
    `select split_part(pg_read_file('postmaster.pid'), e'\\n', 1)::int as pid`,
  );
  return rows[0]?.pid ?? 0;
}

async function end({ postmaster, holder }: Life): Promise<void> {
  await holder.client.end().catch(() => undefined); // already gone when PostgreSQL died
  await postmaster.stop();
}
