import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { startBehalf } from '@behalf/sdk';
import { OtlpReceiver } from './otlp-receiver.ts';

const HOUR_MS = 3_600_000;
const A_WEEK = 168;
const AN_HOUR = 40;
const MAX_BYTES = 1024 * 1024;

test('a week without a collector: the spool stays in its bounds, the oldest are delivered, the rest is counted, told and a gap', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-week-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const receiver = new OtlpReceiver();
  await receiver.start();
  await receiver.stop();
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.UTC(2026, 0, 1) });
  const behalf = startBehalf({
    service: 'payments',
    collectorUrl: receiver.url,
    spool: { folder, maxBytes: MAX_BYTES, fsync: 'never' },
  });
  let largest = 0;
  for (let hour = 0; hour < A_WEEK; hour += 1) {
    for (let index = 0; index < AN_HOUR; index += 1) behalf.recordExchange({ tokenIn: `token-${hour}-${index}` });
    t.mock.timers.tick(HOUR_MS); // the backoff is over: the collector is asked again, and is not there
    for (let turns = 0; turns < 20; turns += 1) await turn();
    largest = Math.max(largest, await bytesIn(folder));
  }
  await receiver.start();
  t.after(() => receiver.stop());
  t.mock.timers.tick(HOUR_MS);
  const total = A_WEEK * AN_HOUR;
  const { delivered, lost, pending } = await behalf.flush();
  assert.deepEqual([delivered + lost, pending], [total, 0]);
  assert.ok(delivered > 500 && lost > 500, `${delivered} delivered, ${lost} lost`);
  assert.ok(largest > 0.9 * MAX_BYTES && largest < 1.3 * MAX_BYTES, `${largest} bytes at most`);
  behalf.recordExchange({ tokenIn: 'after' });
  assert.deepEqual(await behalf.shutdown(), { delivered: delivered + 1, lost, pending: 0 });

  const { observations } = receiver;
  const numbers = observations.map(({ reporter }) => Number(reporter.sequence));
  assert.deepEqual(numbers, [...Array.from({ length: delivered }, (_, index) => index + 1), total + 1]);
  assert.deepEqual(observations.at(-1)?.anomalies, [
    { code: 'observations_lost', detail: `${lost} of this sender since its start` },
  ]);
});

async function bytesIn(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
