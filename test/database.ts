import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connectDatabase, type Database } from '#database';

/**
 * A fresh, migrated database for one test: a clone of the run's template, dropped afterwards. The test fails when it
 * leaves a connection open. What the test starts on it is ended with `t.after`: newest first, before the database goes.
 */
export async function testDatabase(t: TestContext): Promise<Database> {
  const url = await cloneTemplate(t);
  const database = connectDatabase({ url, poolSize: 4 });
  t.after(() => closeWithin(database, 5000));
  return database;
}

/** A pool waits for ever for a connection that was never given back: that is the leak a test must not hide. */
async function closeWithin(database: Database, limitMs: number): Promise<void> {
  const late = new AbortController();
  const closed = database.close().finally(() => late.abort());
  const timer = sleep(limitMs, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error('the test kept a connection of a pool: release it, or end what uses it in t.after')),
    () => undefined,
  );
  await Promise.race([closed, timer]);
}

/** node:test runs after hooks oldest first; the database must go last, so later hooks are run here, newest first. */
export function afterAllOthers(t: TestContext, drop: () => Promise<void>): void {
  const others: (() => unknown)[] = [];
  t.after(async () => {
    try {
      for (const other of others.toReversed()) await other();
    } finally {
      await drop();
    }
  });
  t.after = (hook) => {
    if (hook !== undefined) others.push(hook as () => unknown);
  };
}

/** The address of a fresh, migrated database, for a test that connects by itself. */
export async function cloneTemplate(t: TestContext): Promise<string> {
  const { server, template } = testServer();
  return makeDatabase(t, server, `template ${template}`);
}

/** The address of a database that was never migrated. */
export async function emptyDatabase(t: TestContext): Promise<string> {
  return makeDatabase(t, testServer().server, '');
}

async function makeDatabase(t: TestContext, server: string, options: string): Promise<string> {
  const name = `behalf_test_${randomBytes(8).toString('hex')}`;
  await administer(server, `create database ${name} ${options}`);
  afterAllOthers(t, async () => {
    const left = await connectionsTo(server, name);
    // PostgreSQL ends its own vacuum workers for a plain drop; force needs rights over them that only a superuser has.
    await administer(server, `drop database ${name}${left.length === 0 ? '' : ' with (force)'}`);
    assert.deepEqual(left, [], 'the test left connections open');
  });
  return withDatabase(server, name);
}

/** The run's server, and the database on it that tests clone. */
export function testServer(): { server: string; template: string } {
  const { BEHALF_TEST_SERVER: server, BEHALF_TEST_TEMPLATE: template } = process.env;
  if (server === undefined || template === undefined) {
    throw new Error('no test database: run npm test, or pass --test-global-setup=test/global-setup.ts to node --test');
  }
  return { server, template };
}

/** Who is still connected once closed connections had time to go: the server notices an end a moment later. */
async function connectionsTo(server: string, name: string): Promise<string[]> {
  for (let attempt = 0; ; attempt += 1) {
    const rows = await administer(
      server,
      `select application_name || ': ' || left(query, 100) as who from pg_stat_activity
       where datname = '${name}' and backend_type = 'client backend'`,
    );
    if (rows.length === 0 || attempt === 40) return rows.map((row) => String(row.who));
    await sleep(50);
  }
}

/** One statement on the server's own database. */
export async function administer(server: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.href;
}
