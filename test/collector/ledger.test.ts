import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { fsck, openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { parseEntry } from '#observation';
import { testDatabase } from '../database.ts';
import { collectorOf, partialOf, span, traces } from './harness.ts';

const inputs = join(import.meta.dirname, '..', '..', '..', 'shared', 'inputs', 'otlp');
const skip = existsSync(inputs) ? false : 'recorded inputs (../shared/inputs/otlp) are not here';

/** A collector before a real ledger on a database of its own. */
async function ledgeredCollector(t: TestContext) {
  const database = await testDatabase(t);
  const keyFolder = await mkdtemp(join(tmpdir(), 'behalf-collector-'));
  t.after(() => rm(keyFolder, { recursive: true, force: true }));
  const ledger = await openLedger({ database, keyFolder, onAlarm: assert.ifError });
  t.after(() => ledger.close());
  const reader = openLogReader({ database, logId: ledger.logId });
  const entries = async () => {
    const { size } = await reader.log();
    const all = [];
    while (BigInt(all.length) < size) all.push(...(await reader.entries(BigInt(all.length), 1000)));
    return all.map(({ bytes }) => bytes);
  };
  const check = () => fsck({ database, logId: ledger.logId, verifierKey: ledger.verifierKey });
  return { collector: collectorOf(t, { ledger }), ledger, entries, check };
}

test('what is answered with success is in the log, once, with its person sealed; a retry adds nothing', async (t) => {
  const { collector, entries } = await ledgeredCollector(t);
  const body = JSON.stringify(traces('payments', span(1, 2, { with: { 'user.id': 'dana' } }), span(2, 3)));
  for (let i = 0; i < 3; i += 1) assert.equal((await collector.post('traces', body)).body, '{}');
  const stored = await entries();
  assert.equal(stored.length, 2);
  assert.equal(collector.accounting.account.sequenced, 2);
  assert.equal(collector.accounting.account.duplicates, 4);
  for (const bytes of stored) assert.equal(parseEntry(bytes).reporter.service, 'payments');
  assert.doesNotMatch(Buffer.concat(stored).toString(), /dana/);
});

test('every recorded request goes into the ledger whole, and the log verifies after', { skip }, async (t) => {
  const { collector, ledger, entries, check } = await ledgeredCollector(t);
  for (const folder of ['recorded', 'derived', 'found']) {
    for (const name of readdirSync(join(inputs, folder))) {
      if (name === 'metrics.json') continue;
      const bytes = readFileSync(join(inputs, folder, name));
      const body = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
      const answer = await collector.post(
        /logs|events/.test(name) ? 'logs' : 'traces',
        name.endsWith('.bin') ? body : body.toString('utf8'),
      );
      assert.deepEqual([answer.statusCode, partialOf(answer).rejected], [200, 0], `${name}: ${answer.body}`);
    }
  }
  const stored = await entries();
  assert.equal(stored.length, collector.accounting.account.sequenced);
  assert.ok(stored.length > 80);
  const text = Buffer.concat(stored).toString();
  assert.doesNotMatch(text, /alice|"dave"|erin|"bob"/, 'no user of the recordings stands in clear');
  assert.doesNotMatch(text, /refunded|America\/New_York|abcdefgh123456/, 'no prompt, result or path token either');
  await ledger.publish();
  assert.equal((await check()).ok, true);
});

test('a ledger that is closing is told to the sender as 503, and nothing is stored', async (t) => {
  const { collector, ledger } = await ledgeredCollector(t);
  await ledger.close();
  const answer = await collector.post('traces', JSON.stringify(traces('payments', span(1, 2))));
  assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, '5']);
});
