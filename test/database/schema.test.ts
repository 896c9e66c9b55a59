import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloneTemplate } from '../database.ts';
import { ask } from './embedded.ts';
import { schemaOf } from './schema.ts';

const KEPT = join(import.meta.dirname, '..', 'schema.sql');
const RENEW = 'BEHALF_RENEW_SCHEMA';
const HEADER = `-- What migrations/ add up to. Compared by test/database/schema.test.ts; renewed by it when ${RENEW}=1 is set.\n\n`;

test('the migrations add up to test/schema.sql', async (t) => {
  const schema = HEADER + (await schemaOf(await cloneTemplate(t)));
  if (process.env[RENEW] === '1') await writeFile(KEPT, schema);
  const kept = await readFile(KEPT, 'utf8');
  assert.equal(schema, kept, `the schema changed; if that is meant: ${RENEW}=1 npm test, and commit test/schema.sql`);
});

test('every table of a log is keyed by log_id first, so that the same schema distributes', async (t) => {
  const keys = await ask(
    await cloneTemplate(t),
    `select c.relname as table, (
       select a.attname from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
       where i.indrelid = c.oid and i.indisprimary) as first
     from pg_class c
     where c.relnamespace = 'behalf'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migration'`,
  );
  assert.ok(keys.length >= 6);
  for (const { table, first } of keys) assert.equal(first, 'log_id', `behalf.${table}`);
});

test('nothing is granted to everybody', async (t) => {
  const schema = await schemaOf(await cloneTemplate(t));
  assert.doesNotMatch(schema, /^grant .* to public;$/m);
});
