import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_THRESHOLDS } from '#chains';
import { UsageError } from '../../src/cli/command.ts';
import { settingsFrom } from '../../src/cli/settings.ts';
import { readThresholds } from '../../src/cli/thresholds-file.ts';
import { temporaryFolder } from '../ledger/harness.ts';

test('every threshold may stand in the file, each within its range', async (t) => {
  const folder = await temporaryFolder(t);
  const read = async (value: unknown) => {
    const path = join(folder, 'thresholds.json');
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
    return readThresholds(path);
  };
  const { version: _, ...all } = DEFAULT_THRESHOLDS;
  assert.deepEqual(await read(all), all);
  assert.deepEqual(await read({}), {});
  assert.deepEqual(await read({ audiences: { vault: ['https://vault'] } }), {
    audiences: { vault: ['https://vault'] },
  });
  for (const [value, expected] of [
    [{ mostActors: 0 }, /mostActors/],
    [{ dormantDays: '60' }, /dormantDays/],
    [{ governed: ['scope', 'colour'] }, /governed/],
    [{ audiences: { vault: 'https://vault' } }, /audiences\/vault/],
    [{ version: 'mine' }, /"version" is no threshold; expected some of clockSkewSeconds, .*approvalOperations/],
    [[], /expected a JSON object/],
    ['{', /expected JSON/],
  ] as const)
    await assert.rejects(read(value), (error) => error instanceof UsageError && expected.test(error.message));
  await assert.rejects(readThresholds(join(folder, 'nowhere.json')), /BEHALF_THRESHOLDS: cannot read/);
});

test('BEHALF_THRESHOLDS names the file; without it the log keeps its own', () => {
  assert.equal(
    settingsFrom({ BEHALF_THRESHOLDS: '/etc/behalf/thresholds.json' }).thresholdsFile,
    '/etc/behalf/thresholds.json',
  );
  assert.equal(settingsFrom({ BEHALF_THRESHOLDS: '' }).thresholdsFile, undefined);
});
