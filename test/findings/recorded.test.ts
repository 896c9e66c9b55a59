import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Recorded, stitch } from '#chains';
import { collectorOf } from '../collector/harness.ts';

const inputs = join(import.meta.dirname, '..', '..', '..', 'shared', 'inputs', 'otlp');
const skip = existsSync(inputs) ? false : 'recorded inputs (../shared/inputs/otlp) are not here';
const files = skip
  ? []
  : ['derived', 'recorded', 'found'].flatMap((folder) =>
      readdirSync(join(inputs, folder)).map((name) => join(folder, name)),
    );

test('recorded traffic of others, in which nobody attacked, raises no alarm but secrets its senders sent', {
  skip,
}, async (t) => {
  let hops = 0;
  for (const file of files.filter((name) => !name.endsWith('metrics.json'))) {
    const { post, observations } = collectorOf(t);
    const bytes = readFileSync(join(inputs, file));
    const body = file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    const signal = /logs|events/.test(file) ? 'logs' : 'traces';
    await post(signal, file.endsWith('.bin') ? body : body.toString('utf8'));
    const recorded: readonly Recorded[] = observations.map((entry, i) => ({ leafIndex: BigInt(i), entry }));
    const chains = stitch(recorded);
    hops += chains.reduce((sum, chain) => sum + chain.hops.length, 0);
    const alarms = chains.flatMap(({ findings }) => findings.filter(({ severity }) => severity !== 'notice'));
    assert.deepEqual(
      alarms.filter(({ rule }) => rule !== 'secret_in_telemetry').map(({ rule, says }) => `${rule}: ${says}`),
      [],
      file,
    );
  }
  assert.ok(hops > 5_000, `${hops} hops`);
});
