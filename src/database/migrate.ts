import pg from 'pg';
import { DatabaseError } from './errors.ts';
import { MIGRATIONS_FOLDER, type Migration, readMigrations } from './migration-files.ts';
import { ensureRoles, serverVersion } from './roles.ts';
import { describeDatabase, parseDatabaseUrl, withSettings } from './url.ts';

/** Told in words fit for an operator. */
export type Progress = (says: string) => void;

/**
 * Brings a database to this program's schema: makes the roles, then runs what is new under migrations/, forward only,
 * each file in one transaction. Safe when several servers do it at once. Refuses (DatabaseError `migration`) a database
 * that is newer than this program, or whose applied files differ from this program's.
 */
export function migrate(url: string, onProgress: Progress = () => undefined): Promise<void> {
  return migrateFrom(MIGRATIONS_FOLDER, url, onProgress);
}

/** `migrate` from another folder of migrations. */
export async function migrateFrom(folder: string, url: string, onProgress: Progress = () => undefined): Promise<void> {
  parseDatabaseUrl(url);
  const migrations = await readMigrations(folder);
  const client = new pg.Client({
    connectionString: withSettings(url, { synchronous_commit: 'on' }),
    application_name: 'behalf-migrate',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  // The statement that is running or comes next reports the loss; here it must only not end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await checkServer(client, url, onProgress);
    while (await step(client, migrations, onProgress));
  } finally {
    await client.end();
  }
}

async function checkServer(client: pg.Client, url: string, onProgress: Progress): Promise<void> {
  const version = await serverVersion(client);
  if (version < 150_000) {
    throw new DatabaseError(
      'unsupported',
      `${describeDatabase(url)} is PostgreSQL ${Math.trunc(version / 10_000)}; expected 15 or newer`,
    );
  }
  const { rows } = await client.query<{ fsync: string }>(`select current_setting('fsync') as fsync`);
  if (rows[0]?.fsync !== 'on') {
    onProgress(
      'warning: this PostgreSQL runs with fsync = off; a power cut can lose what was acknowledged; turn it on',
    );
  }
}

/** One transaction under the lock: makes what the first run needs, checks the history, applies the next file. True when it applied one. */
async function step(client: pg.Client, migrations: readonly Migration[], onProgress: Progress): Promise<boolean> {
  await client.query('begin');
  try {
    await lock(client, onProgress);
    await ensureHistory(client);
    const applied = await selectApplied(client);
    checkHistory(applied, migrations);
    const next = migrations[applied.length];
    if (next !== undefined) await apply(client, next, onProgress);
    await client.query('commit');
    return next !== undefined;
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // the connection may be what failed; the first error tells more
    throw error;
  }
}

/** Held until the transaction ends, so a server that dies here leaves nothing locked. */
async function lock(client: pg.Client, onProgress: Progress): Promise<void> {
  const key = `hashtextextended('behalf.migration', 0)`;
  const { rows } = await client.query<{ got: boolean }>(`select pg_try_advisory_xact_lock(${key}) as got`);
  if (rows[0]?.got) return;
  onProgress('waiting for another server that migrates this database');
  await client.query(`select pg_advisory_xact_lock(${key})`);
}

async function ensureHistory(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('behalf.migration') is not null as there`,
  );
  await ensureRoles(client);
  if (rows[0]?.there) return;
  await client.query(`
    create schema if not exists behalf;
    create table behalf.migration (
      number     integer     not null primary key check (number > 0),
      name       text        not null,
      sha256     bytea       not null check (octet_length(sha256) = 32),
      applied_at timestamptz not null default now()
    )`);
}

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly sha256: Buffer;
}

async function selectApplied(client: pg.Client): Promise<Applied[]> {
  const { rows } = await client.query<Applied>('select number, name, sha256 from behalf.migration order by number');
  return rows;
}

function checkHistory(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const newest = applied.at(-1);
  if (newest !== undefined && newest.number > migrations.length) {
    throw new DatabaseError(
      'migration',
      `the database is newer than this program: it has migration ${newest.number} (${newest.name}), this program knows ${migrations.length}; run the newer program`,
    );
  }
  for (const [i, migration] of migrations.slice(0, applied.length).entries()) {
    const was = applied[i];
    if (was?.number === migration.number && was.sha256.equals(migration.sha256)) continue;
    throw new DatabaseError(
      'migration',
      `migrations/${migration.file} is not what was applied to this database (sha-256 ${was?.sha256.toString('hex').slice(0, 12)} applied, ${migration.sha256.toString('hex').slice(0, 12)} here); applied files never change: restore it and put the change in a new file`,
    );
  }
}

async function apply(client: pg.Client, migration: Migration, onProgress: Progress): Promise<void> {
  onProgress(`migrating: ${migration.file}`);
  await client.query('insert into behalf.migration (number, name, sha256) values ($1::int, $2::text, $3::bytea)', [
    migration.number,
    migration.name,
    migration.sha256,
  ]);
  try {
    await client.query(migration.sql);
  } catch (error) {
    throw failed(migration, error);
  }
}

function failed(migration: Migration, cause: unknown): DatabaseError {
  const position = cause instanceof pg.DatabaseError ? Number(cause.position) : Number.NaN;
  const line = Number.isNaN(position) ? '' : ` at line ${migration.sql.slice(0, position).split('\n').length}`;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DatabaseError(
    'migration',
    `migrations/${migration.file} failed${line}: ${why}; nothing of it was applied`,
    { cause },
  );
}
