import { connectDatabase, type Database, type Role } from './connect.ts';
import { migrate, type Progress } from './migrate.ts';
import { startPostgres } from './postgres/start.ts';
import type { RunningPostgres } from './postgres/supervisor.ts';

export interface OpenDatabaseOptions {
  /** A PostgreSQL 15 or newer; without it the embedded one is started in `dataDir`. */
  readonly url?: string;
  readonly dataDir: string;
  readonly onProgress?: Progress;
}

/**
 * A migrated database, ready for work. `close` ends the pools, then the embedded PostgreSQL when there is one.
 * Errors as of `startPostgres` and `migrate`; whatever was started is stopped before one is thrown.
 */
export async function openDatabase({ url, dataDir, onProgress }: OpenDatabaseOptions): Promise<Database> {
  const progress = onProgress ?? (() => undefined);
  if (url !== undefined) {
    await migrate(url, progress);
    return connectDatabase({ url });
  }
  const postgres = await startPostgres({ dataDir, onProgress: progress });
  try {
    await migrate(postgres.url, progress);
    return new EmbeddedDatabase(connectDatabase({ url: postgres.url }), postgres);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

class EmbeddedDatabase implements Database {
  readonly #database: Database;
  readonly #postgres: RunningPostgres;

  constructor(database: Database, postgres: RunningPostgres) {
    this.#database = database;
    this.#postgres = postgres;
  }

  get url(): string {
    return this.#database.url;
  }

  pool(role: Role) {
    return this.#database.pool(role);
  }

  async close(): Promise<void> {
    await this.#database.close();
    await this.#postgres.stop();
  }
}
