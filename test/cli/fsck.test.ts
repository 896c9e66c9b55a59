import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer } from '../../src/cli/server.ts';
import { settingsFrom } from '../../src/cli/settings.ts';
import { span, traces } from '../collector/harness.ts';
import { testDatabase } from '../database.ts';
import { runBehalf } from './run-behalf.ts';

test('behalf fsck has nothing to hold while the log is empty, holds what is sound, and names what is not', async (t) => {
  const database = await testDatabase(t);
  const folder = await mkdtemp(join(tmpdir(), 'behalf-fsck-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const environment = {
    DATABASE_URL: database.url,
    BEHALF_DATA_DIR: folder,
    BEHALF_API_PORT: '0',
    BEHALF_OTLP_HTTP_PORT: '0',
    BEHALF_OTLP_GRPC_PORT: '0',
  };
  const server = await startServer(settingsFrom(environment), () => undefined);
  t.after(() => server.close());
  const empty = await runBehalf(['fsck'], environment);
  assert.deepEqual([empty.status, empty.out], [1, 'nothing was checked: the log has no entry yet\n'], empty.err);
  const body = JSON.stringify(traces('payments', span(1, 2), span(2, 2)));
  const headers = { 'content-type': 'application/json' };
  assert.equal((await fetch(`${server.otlp?.http}/v1/traces`, { method: 'POST', headers, body })).status, 200);
  await server.settle();
  const sound = await runBehalf(['fsck'], environment);
  assert.equal(sound.status, 0, sound.out + sound.err);
  assert.match(
    sound.out,
    /^sound: 2 entries recomputed.*\nwhat queries show is what 2 entries give: \d+ rows made again\n$/,
  );
  await database.pool('owner').query("update behalf.chain set verdict = 'permitted!' where log_id = 1");
  const shown = await runBehalf(['fsck', '--json'], environment);
  assert.equal(shown.status, 1);
  const { ok, projection } = JSON.parse(shown.out);
  assert.deepEqual([ok, projection.ok, projection.firstDifference.leafIndex], [true, false, '0']);
});
