import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../src/cli/command.ts';
import { outsideSettingsFrom, readPolicy } from '../../src/cli/outside-settings.ts';

test('without any variable nobody outside is asked and nothing is kept aside', () => {
  assert.deepEqual(outsideSettingsFrom({}), {});
  assert.deepEqual(outsideSettingsFrom({ BEHALF_WITNESS_POLICY: '', BEHALF_WITNESS_REQUIRED: 'no' }), {});
});

test('a witness policy is named by its file, and asked without being required unless said so', () => {
  const policyFile = resolve('witnesses');
  for (const [said, required] of [
    [undefined, false],
    ['', false],
    ['no', false],
    ['yes', true],
  ] as const) {
    const environment = {
      BEHALF_WITNESS_POLICY: 'witnesses',
      ...(said === undefined ? {} : { BEHALF_WITNESS_REQUIRED: said }),
    };
    assert.deepEqual(outsideSettingsFrom(environment), { witnesses: { policyFile, required } });
  }
});

for (const [environment, says] of [
  [
    { BEHALF_WITNESS_POLICY: 'p', BEHALF_WITNESS_REQUIRED: 'true' },
    /BEHALF_WITNESS_REQUIRED: expected yes or no, got true/,
  ],
  [{ BEHALF_WITNESS_REQUIRED: 'yes' }, /expected BEHALF_WITNESS_POLICY to name the witnesses/],
  [{ BEHALF_ANCHOR_DIR: 'a', BEHALF_ANCHOR_SECONDS: '0' }, /BEHALF_ANCHOR_SECONDS: expected 1 to 9999999, got 0/],
  [{ BEHALF_ANCHOR_DIR: 'a', BEHALF_ANCHOR_SECONDS: '1.5' }, /BEHALF_ANCHOR_SECONDS/],
] as const) {
  test(`refused, and the variable named: ${JSON.stringify(environment)}`, () =>
    assert.throws(
      () => outsideSettingsFrom(environment),
      (error) => error instanceof UsageError && says.test(error.message),
    ));
}

test('anchors have a folder, and a minute between them unless told', () => {
  const folder = resolve('aside');
  assert.deepEqual(outsideSettingsFrom({ BEHALF_ANCHOR_DIR: 'aside' }), { anchor: { folder, intervalMs: 60_000 } });
  const hourly = { BEHALF_ANCHOR_DIR: 'aside', BEHALF_ANCHOR_SECONDS: '3600' };
  assert.deepEqual(outsideSettingsFrom(hourly), { anchor: { folder, intervalMs: 3_600_000 } });
});

test('a policy that cannot be read is told with its file', async () => {
  await assert.rejects(
    readPolicy(import.meta.filename),
    (error) => error instanceof UsageError && error.message.includes('outside-settings.test.ts: policy'),
  );
  await assert.rejects(readPolicy('/does/not/exist'), { code: 'ENOENT' });
});
