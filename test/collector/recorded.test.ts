import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
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

const one = async (t: TestContext, file: string) => {
  const collector = collectorOf(t);
  assert.equal((await post(collector, file)).statusCode, 200);
  return collector.hops();
};
const recorded = (name: string) => join('recorded', name);

test('recorded identities are read: users, agents and tools, at grade attribute', { skip }, async (t) => {
  const [gateway] = await one(t, recorded('py-proto-gateway.bin'));
  assert.deepEqual(gateway?.subject, { type: 'user', id: 'bob', basis: 'attribute' });
  assert.equal(gateway?.side, 'callee');
  const [tool] = await one(t, recorded('py-proto-tool.bin'));
  assert.deepEqual([tool?.operation, tool?.resource, tool?.subject?.id], ['execute_tool refund', 'tool:refund', 'bob']);
  const [planner] = await one(t, recorded('traceloop-proto-2.bin'));
  assert.deepEqual(planner?.actors, [{ type: 'ai_agent', id: 'planner', basis: 'attribute' }]);
  assert.equal(planner?.subject?.id, 'bob');
  const runs = await one(t, recorded('ai-sdk-proto-traces.bin'));
  assert.deepEqual(
    runs.map(({ transport, subject, actors }) => [transport.protocol, subject?.id, actors[0]?.id]),
    [
      ['tool', 'alice', 'support-bot'],
      ['agent', 'alice', 'support-bot'],
    ],
  );
  const [go] = await one(t, recorded('go-grpc-ledger.bin'));
  assert.equal(go?.subject?.id, 'alice@example.com');
});

test('recorded client and server spans are both sides of a crossing, joined by parentage', { skip }, async (t) => {
  for (const name of ['deno-rust-json-traces.json', 'py-json-flask.json', 'py-grpc-flask.bin']) {
    const hops = await one(t, recorded(name));
    const callers = hops.filter(({ side }) => side === 'caller').map(({ trace }) => trace?.spanId);
    const callees = hops.filter(({ side }) => side === 'callee');
    assert.equal(callees.length, 2, name);
    for (const { trace } of callees) assert.ok(callers.includes(trace?.parentSpanId), name);
  }
});

test('a hop below an internal span names the nearest hop above it as its cause', { skip }, async (t) => {
  const hops = await one(t, join('derived', 'zipkin-messaging-kafka.json'));
  const poll = hops.find(({ trace }) => trace?.spanId === '0562809467078eab');
  const sends = hops.filter(({ side, cause }) => side === 'caller' && cause?.spanId === poll?.trace?.spanId);
  assert.equal(poll?.side, 'callee');
  assert.equal(sends.length, 9);
  for (const send of sends) assert.notEqual(send.trace?.parentSpanId, poll?.trace?.spanId);
});

test('a request sent again comes to the same observation ids', { skip }, async (t) => {
  const collector = collectorOf(t);
  for (const file of [...filesIn('recorded'), ...filesIn('derived')]) {
    const before = collector.observations.length;
    await post(collector, file);
    const between = collector.observations.length;
    await post(collector, file);
    const ids = (from: number, to: number) => collector.observations.slice(from, to).map(({ id }) => id);
    assert.deepEqual(ids(before, between), ids(between, between * 2 - before), file);
    assert.equal(new Set(ids(before, between)).size, between - before, `${file}: an id per observation`);
  }
});
