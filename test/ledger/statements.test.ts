import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientBase } from 'pg';
import type { Database } from '#database';
import { Sequencer } from '../../src/ledger/sequencer.ts';
import { testLog } from './harness.ts';

/** Every statement the writer's connections are given from now on: its name, or what it begins with. */
function statementsOf(database: Database): { take(): string[] } {
  const seen: string[] = [];
  database.pool('writer').on('connect', (client: ClientBase) => {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    Object.assign(client, {
      query: (...given: unknown[]) => {
        const [first] = given as [string | { name?: string; text: string }];
        const { name, text } = typeof first === 'string' ? { name: undefined, text: first } : first;
        seen.push(
          name ??
            text
              .trim()
              .replace(/\s+/g, ' ')
              .replace(/[($].*/, '')
              .trim(),
        );
        return query(...given);
      },
    });
  });
  return { take: () => seen.splice(0) };
}

let made = 0;
/** An entry whose id is of a time that the test chooses: `bucket` counts quarters of a second. */
function entryOf(bucket: number) {
  made += 1;
  const time = (0x0190a6f21c00 + 256 * bucket).toString(16).padStart(12, '0');
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${made.toString(16).padStart(12, '0')}`;
  return { id, bytes: Buffer.from(`{"id":"${id}"}`) };
}

const LOOK = [
  'select origin, verifier_key as "verifierKey", persons_check as "personsCheck", size, root from behalf.log where log_id =',
  'behalf_tiles',
];

test('a batch is one statement, and one more for each quarter of a second of ids that is new; a repeated one is none', async (t) => {
  const log = await testLog(t);
  const statements = statementsOf(log.database);
  await log.open();
  assert.notDeepEqual(statements.take(), [], 'they are seen');
  const other = new Sequencer({ database: log.database, logId: 1 });
  const sequencer = new Sequencer({ database: log.database, logId: 1 });
  t.after(() => Promise.all([sequencer.close(), other.close()]));
  const after = async (entries: readonly ReturnType<typeof entryOf>[], by = sequencer) => {
    await by.append(entries);
    return statements.take();
  };
  const first = Array.from({ length: 300 }, () => entryOf(0));
  assert.deepEqual(
    await after(first),
    [
      'select behalf.extend_id_bucket',
      'select behalf.forget_id_bucket',
      ...LOOK,
      'behalf_ids',
      'select behalf.extend_entry_bundle',
      'behalf_append',
    ],
    'the first of a server: places are made, the log is read',
  );
  assert.deepEqual(await after([entryOf(0)]), ['behalf_append'], 'a fresh batch');
  assert.deepEqual(await after(Array.from({ length: 700 }, () => entryOf(0))), ['behalf_append'], 'across bundles');
  assert.deepEqual(await after([entryOf(1), entryOf(2)]), ['behalf_ids', 'behalf_append'], 'new buckets');
  assert.deepEqual(await after(first), [], 'repeated as a whole');
  assert.deepEqual(await after([...first, entryOf(2)]), ['behalf_append'], 'repeated in part');
  await after([entryOf(3)], other);
  assert.deepEqual(
    await after([entryOf(0)]),
    ['behalf_append', ...LOOK, 'behalf_ids', 'behalf_append'],
    'a race that was lost: the log and the ids are read again',
  );
  await log.sound(1006);
});
