import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as semconv from '@behalf/sdk/semconv';
import fc from 'fast-check';
import Fastify from 'fastify';
import { Accounting, senderApi } from '#collector';
import { SequenceGaps } from '../../src/collector/sequence-gaps.ts';
import { attribute, attributes, collectorOf, logs, START, span, traces } from './harness.ts';

const record = (sequence: number) => ({
  eventName: semconv.EVENT_HOP,
  timeUnixNano: String(START),
  attributes: attributes({
    [semconv.OBSERVATION_ID]: `0198c0de-0000-7000-8000-${String(sequence).padStart(12, '0')}`,
    [semconv.SEQUENCE]: sequence,
    [semconv.HOP_SIDE]: 'callee',
  }),
});

test('each sender has its own account: what was accepted, refused and why, left out, and missing in its own sequence', async (t) => {
  const { post, accounting } = collectorOf(t, { now: () => 5n });
  await post('traces', JSON.stringify(traces('shop', span(1, 2), span(2, 1), span(3, 2, { traceId: 'ab' }))));
  await post('logs', JSON.stringify(logs('payments', record(3), record(4), { eventName: 'x' })));
  await post('logs', JSON.stringify(logs('payments', record(8), record(6))));
  const [shop, payments, ...others] = accounting.senders;
  assert.equal(others.length, 0);
  const { reasons, ...counts } = shop ?? { reasons: {} };
  assert.deepEqual(counts, {
    service: 'shop',
    received: 3,
    accepted: 1,
    duplicated: 0,
    refused: 1,
    notStored: { internal_span: 1 },
    lastReceived: 5n,
  });
  assert.match(Object.keys(reasons).join(), /trace/);
  assert.deepEqual([payments?.received, payments?.accepted, payments?.notStored], [5, 4, { other_log_record: 1 }]);
  assert.deepEqual(payments?.sequence, {
    from: 3n,
    to: 8n,
    missing: 2n,
    gaps: [
      { from: 5n, to: 5n },
      { from: 7n, to: 7n },
    ],
  });
});

test('instances of a service are senders of their own, and what a ledger had before counts as duplicated', async (t) => {
  const append = async (given: readonly unknown[]) =>
    given.map((_, i) => ({ kind: 'sequenced', leafIndex: BigInt(i), duplicate: true }) as const);
  const { post, accounting } = collectorOf(t, { ledger: { append } });
  for (const instance of ['a', 'b', 'a']) {
    const request = {
      resourceLogs: [
        {
          resource: { attributes: [attribute('service.name', 'shop'), attribute('service.instance.id', instance)] },
          scopeLogs: [{ logRecords: [record(1)] }],
        },
      ],
    };
    await post('logs', JSON.stringify(request));
  }
  assert.deepEqual(
    accounting.senders.map(({ service, instance, duplicated, accepted }) => [service, instance, duplicated, accepted]),
    [
      ['shop', 'a', 2, 0],
      ['shop', 'b', 1, 0],
    ],
  );
});

test('what is missing of a sequence is the same in whatever order it came', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (numbers) => {
      const gaps = new SequenceGaps();
      for (const number of numbers) gaps.see(BigInt(number));
      const { from, to, missing, gaps: open } = gaps.seen;
      const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
      const absent = Array.from({ length: most - least }, (_, i) => least + i).filter(
        (each) => !numbers.includes(each),
      );
      assert.deepEqual([from, to, missing], [BigInt(least), BigInt(most), BigInt(absent.length)]);
      const listed = open.flatMap((gap) =>
        Array.from({ length: Number(gap.to - gap.from) + 1 }, (_, i) => Number(gap.from) + i),
      );
      assert.deepEqual(listed, absent);
    }),
  );
});

test('gaps and senders without end stay bounded, and are counted all the same', () => {
  const gaps = new SequenceGaps();
  for (let number = 1n; number <= 10_001n; number += 2n) gaps.see(number);
  assert.deepEqual([gaps.seen.missing, gaps.seen.gaps.length], [5_000n, 256]);
  const accounting = new Accounting();
  for (let i = 0; i < 1_500; i += 1) accounting.sender({ service: `s${i}` }).receive(1, 0n);
  assert.deepEqual([accounting.senders.length, accounting.senders.at(-1)?.received], [1_001, 500]);
});

test('the accounts are to be had as JSON with numbers as strings, and as Prometheus metrics with labels escaped', async (t) => {
  const { post, accounting } = collectorOf(t);
  await post('logs', JSON.stringify(logs('pay"ments\\', record(3), record(5))));
  await post('traces', 'x');
  const app = Fastify();
  t.after(() => app.close());
  await app.register(senderApi, {
    accounting,
    measure: async () => [{ name: 'x_size', says: 'Size', kind: 'gauge', values: [[{}, 7n]] }],
  });
  const { senders } = (await app.inject('/api/v1/senders')).json();
  assert.deepEqual(senders[0].sequence, { from: '3', to: '5', missing: '1', gaps: [{ from: '4', to: '4' }] });
  const metrics = await app.inject('/metrics');
  assert.match(String(metrics.headers['content-type']), /^text\/plain; version=0\.0\.4/);
  const lines = metrics.body.split('\n');
  for (const line of [
    '# TYPE behalf_collector_accepted_total counter',
    'behalf_collector_accepted_total{service="pay\\"ments\\\\"} 2',
    'behalf_collector_sequence_missing{service="pay\\"ments\\\\"} 1',
    'behalf_collector_refused_requests_total{status="400"} 1',
    'behalf_collector_requests_total 2',
    'x_size 7',
  ])
    assert.ok(lines.includes(line), `${line}\n${metrics.body}`);
});
