import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startProjection } from '#projection';
import { delegatedCall } from '../chains/entries.ts';
import { testLog } from '../ledger/harness.ts';
import { dump } from '../projection/tables.ts';
import { observationsOf } from '../query/api.ts';

const BEHALF = join(import.meta.dirname, '..', '..', 'src', 'cli', 'behalf.ts');

test('behalf reindex builds what queries read again from the log, byte for byte, whatever became of it', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const { database } = log;
  const projection = startProjection({ database, logId: 1, onAlarm: assert.ifError });
  await ledger.append(observationsOf(delegatedCall(delegatedCall(), 2).all));
  await projection.caughtUp(22n);
  await projection.close();
  const before = await dump(database);
  assert.equal(before.chain?.length, 2);
  await database.pool('owner').query('delete from behalf.hop');
  await database.pool('owner').query(`update behalf.chain set verdict = 'permitted', body = '{}'`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=behalf-source', BEHALF, 'reindex', '--json'],
    { env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: '', DATABASE_URL: database.url } },
  );
  assert.deepEqual(JSON.parse(stdout), { entries: '22' });
  assert.deepEqual(await dump(database), before);
});
