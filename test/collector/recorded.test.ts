import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { HopObservation } from '#observation';
import { type Collector, collectorOf, partialOf } from './harness.ts';

const inputs = join(import.meta.dirname, '..', '..', '..', 'shared', 'inputs', 'otlp');
const skip = existsSync(inputs) ? false : 'recorded inputs (../shared/inputs/otlp) are not here';
const filesIn = (folder: string) => (skip ? [] : readdirSync(join(inputs, folder)).map((name) => join(folder, name)));

const bodyOf = (file: string): Uint8Array => {
  const bytes = readFileSync(join(inputs, file));
  return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
};
const post = (collector: Collector, file: string) => {
  const bytes = bodyOf(file);
  const signal = /logs|events/.test(file) ? 'logs' : 'traces';
  return collector.post(signal, file.endsWith('.bin') ? bytes : Buffer.from(bytes).toString('utf8'));
};
const observationsIn = async (collector: Collector, file: string): Promise<readonly HopObservation[]> => {
  const before = collector.observations.length;
  const answer = await post(collector, file);
  assert.equal(answer.statusCode, 200, `${file}: ${answer.body}`);
  return collector.observations.slice(before).filter((each) => each.kind === 'hop');
};

test('every recorded request is taken whole, but metrics, which are declined', { skip }, async (t) => {
  const collector = collectorOf(t);
  for (const file of [...filesIn('recorded'), ...filesIn('derived'), ...filesIn('found')]) {
    if (file.endsWith('metrics.json')) {
      const declined = await collector.app.inject({
        method: 'POST',
        url: '/v1/metrics',
        payload: bodyOf(file) as Buffer,
      });
      assert.equal(declined.statusCode, 404);
      continue;
    }
    const answer = await post(collector, file);
    assert.equal(answer.statusCode, 200, `${file}: ${answer.body}`);
    assert.deepEqual(partialOf(answer), { rejected: 0, message: '' }, file);
  }
  const { spans, logRecords, notStored, sequenced } = collector.accounting.account;
  const left = notStored.internal_span + notStored.repeats_parent + notStored.other_log_record;
  assert.equal(spans + logRecords, sequenced + left, 'every span and record is accounted for');
});
