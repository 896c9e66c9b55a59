import pg from 'pg';
import { parseDatabaseUrl, withSettings } from './url.ts';

/** Whose privileges a pool works with: the schema's owner, or one of the three roles that migrations grant to. */
export type Role = 'owner' | 'writer' | 'reader' | 'projector';
/** What a statement needs: a pool, or one of its connections inside a transaction. */
export type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.ClientBase, 'query'>;

/** Connections to one database, a pool for each role. */
export interface Database {
  /** The connection string; it holds the password, so it is shown to nobody. */
  readonly url: string;
  /** The role's pool, made on first use. Take connections from it only through `transaction`. */
  pool(role: Role): pg.Pool;
  /** Ends every pool; waits for connections in use. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly url: string;
  /** Most connections of each role's pool. */
  readonly poolSize?: number;
}

/**
 * What each role's sessions start with. A writer's commit is on disk before it is confirmed, whatever the server's default;
 * a reader cannot write even by mistake. Times are in milliseconds and end statements that hang, never healthy ones.
 */
const SETTINGS: Readonly<Record<Role, Readonly<Record<string, string>>>> = {
  owner: {},
  writer: {
    role: 'behalf_writer',
    synchronous_commit: 'on',
    statement_timeout: '30000',
    idle_in_transaction_session_timeout: '30000',
  },
  reader: { role: 'behalf_reader', default_transaction_read_only: 'on', statement_timeout: '60000' },
  // A crash may lose its last commits, position and rows together: they are followed again.
  projector: { role: 'behalf_projector', synchronous_commit: 'off', idle_in_transaction_session_timeout: '60000' },
};

/** The client's own limit, for a server that vanished without a word. */
const QUERY_TIMEOUT_MS: Readonly<Partial<Record<Role, number>>> = { writer: 40_000, reader: 70_000 };

/**
 * Connects on first use and never migrates. The address must be understood (DatabaseError `configuration`); whether a
 * server answers shows with the first statement.
 */
export function connectDatabase({ url, poolSize = 8 }: ConnectOptions): Database {
  parseDatabaseUrl(url);
  return new PooledDatabase(url, poolSize);
}

class PooledDatabase implements Database {
  readonly #url: string;
  readonly #poolSize: number;
  readonly #pools = new Map<Role, pg.Pool>();
  #closing: Promise<void> | undefined;

  constructor(url: string, poolSize: number) {
    this.#url = url;
    this.#poolSize = poolSize;
  }

  get url(): string {
    return this.#url;
  }

  pool(role: Role): pg.Pool {
    if (this.#closing !== undefined) throw new Error('database: pool() after close()');
    const pool = this.#pools.get(role) ?? openPool(this.#url, role, this.#poolSize);
    this.#pools.set(role, pool);
    return pool;
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all([...this.#pools.values()].map((pool) => pool.end())).then(() => undefined);
    return this.#closing;
  }
}

function openPool(url: string, role: Role, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withSettings(url, SETTINGS[role]),
    application_name: `behalf-${role}`,
    max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    ...(QUERY_TIMEOUT_MS[role] === undefined ? {} : { query_timeout: QUERY_TIMEOUT_MS[role] }),
  });
  Object.defineProperty(pool.options, 'connectionString', { enumerable: false });
  // An idle connection that dies has left the pool already; whoever asks next gets a new one or the error.
  pool.on('error', () => undefined);
  return pool;
}
