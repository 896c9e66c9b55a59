import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../database.ts';
import { overload } from './overload.ts';

for (const [what, limits, status] of [
  ['the ledger can store', { waitingEntries: 500 }, '503'],
  ['the collector may hold', { maxBytesInFlight: 300_000 }, '429'],
] as const) {
  test(`far beyond what ${what}, every refused request is asked to come again and nothing acknowledged is missing`, async (t) => {
    const database = await testDatabase(t);
    const keyFolder = await mkdtemp(join(tmpdir(), 'behalf-overload-'));
    t.after(() => rm(keyFolder, { recursive: true, force: true }));
    const load = { encoding: 'protobuf', perRequest: 100, connections: 48, seconds: 2 } as const;
    const found = await overload({ url: database.url, keyFolder, limits, ...load });
    const answers = Object.keys(found.answers);
    assert.ok(answers.includes('200') && answers.includes(status), `some were taken, and some turned away: ${answers}`);
    const { missing, leftAlone, sound } = found;
    assert.deepEqual({ missing, leftAlone, sound }, { missing: 0, leftAlone: 0, sound: true });
    assert.ok(found.acknowledged > 0);
    assert.ok(found.mostRssMiB < 600, `${found.mostRssMiB} MiB`);
  });
}
