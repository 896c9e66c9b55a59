import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, type RunningPostgres, startPostgres } from '#database';
import { administer, withDatabase } from './database.ts';

/** One PostgreSQL for the whole run, and in it one migrated database that every test clones. */
let postgres: RunningPostgres | undefined;
let folder: string | undefined;
let server = '';
const template = `behalf_template_${randomBytes(6).toString('hex')}`;

/** Runs once in the parent process; the test processes inherit its environment. */
export async function globalSetup(): Promise<void> {
  server = process.env.BEHALF_TEST_DATABASE_URL ?? (await startOwn());
  await administer(server, `create database ${template}`);
  await migrate(withDatabase(server, template));
  await administer(server, `alter database ${template} allow_connections false`);
  process.env.BEHALF_TEST_SERVER = server;
  process.env.BEHALF_TEST_TEMPLATE = template;
}

export async function globalTeardown(): Promise<void> {
  if (server !== '') await administer(server, `drop database if exists ${template} with (force)`);
  await postgres?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}

async function startOwn(): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'behalf-test-'));
  postgres = await startPostgres({ dataDir: folder });
  return postgres.url;
}
