import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as semconv from '@behalf/sdk/semconv';
import fc from 'fast-check';
import {
  attributes,
  collectorOf,
  inProtobuf,
  logs,
  type Signal,
  START,
  span,
  spanId,
  TRACE_ID,
  traces,
} from './harness.ts';
import { decodeMessage } from './otlp-codec.ts';

const RUNS = Number(process.env.BEHALF_FUZZ_RUNS ?? 5_000) / 4;

const rich = span(1, 2, {
  parentSpanId: spanId(2),
  flags: 769,
  links: [{ traceId: TRACE_ID, spanId: spanId(3) }],
  status: { code: 2 },
  with: {
    'user.id': 'dana',
    'url.full': 'https://books.example/x',
    'http.status_code': 200,
    'app.list': [1, { a: true }],
  },
});
const hop = {
  eventName: semconv.EVENT_HOP,
  timeUnixNano: String(START),
  traceId: TRACE_ID,
  spanId: spanId(1),
  attributes: attributes({
    [semconv.OBSERVATION_ID]: '0198c0de-0000-7000-8000-000000000001',
    [semconv.HOP_SIDE]: 'callee',
    [semconv.ACTORS]: [{ type: 'user', id: 'dana', basis: 'token' }],
    [semconv.ANOMALIES]: [{ code: 'x' }],
    [semconv.AUTHORITY_SCOPES]: ['a', 'b'],
    [semconv.VERIFICATION_STATUS]: 'verified',
  }),
};
const REQUESTS = {
  traces: traces('payments', rich, span(2, 1), span(3, 3)),
  logs: logs('payments', hop, { eventName: 'x' }),
};
const SEEDS: readonly (readonly [Signal, Buffer, 'json' | 'x-protobuf'])[] = (['traces', 'logs'] as const).flatMap(
  (signal) => [
    [signal, Buffer.from(inProtobuf(signal, REQUESTS[signal])), 'x-protobuf'] as const,
    [signal, Buffer.from(JSON.stringify(REQUESTS[signal])), 'json'] as const,
  ],
);

interface Mutation {
  readonly at: number;
  readonly kind: 'set' | 'flip' | 'drop' | 'insert' | 'cut' | 'repeat';
  readonly byte: number;
  readonly length: number;
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 5_000 }),
  kind: fc.constantFrom('set', 'flip', 'drop', 'insert', 'cut', 'repeat'),
  byte: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...Buffer.from('{}[],:"0-\\\0\u00ff'))),
  length: fc.integer({ min: 1, max: 40 }),
});

function mutate(body: Buffer, { at, kind, byte, length }: Mutation): Buffer {
  const place = body.length === 0 ? 0 : at % body.length;
  const [before, after] = [body.subarray(0, place), body.subarray(place)];
  switch (kind) {
    case 'set':
      return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
    case 'flip':
      return Buffer.concat([before, Buffer.of((after[0] ?? 0) ^ (1 << (byte & 7))), after.subarray(1)]);
    case 'drop':
      return Buffer.concat([before, after.subarray(length)]);
    case 'insert':
      return Buffer.concat([before, Buffer.alloc(length, byte), after]);
    case 'cut':
      return before;
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, length), after]);
    default:
      return kind satisfies never;
  }
}

for (const [signal, seed, type] of SEEDS) {
  test(`mutated ${signal} in ${type} always get an OTLP answer, and never 500`, async (t) => {
    const { post, accounting } = collectorOf(t);
    const body = fc.array(mutation, { minLength: 1, maxLength: 6 }).map((mutations) => mutations.reduce(mutate, seed));
    await fc.assert(
      fc.asyncProperty(body, fc.boolean(), async (sent, isPacked) => {
        const headers = { 'content-type': `application/${type}`, ...(isPacked && { 'content-encoding': 'gzip' }) };
        const answer = await post(signal, isPacked ? gzipSync(sent, { level: 1 }) : sent, headers);
        assert.ok(answer.statusCode === 200 || answer.statusCode === 400, `${answer.statusCode} ${answer.body}`);
        assert.equal(answer.headers['content-type'], `application/${type}`);
        if (type === 'json') answer.json();
        else decodeMessage(answer.statusCode === 200 ? 'ExportServiceResponse' : 'RpcStatus', answer.rawPayload);
      }),
      { numRuns: RUNS },
    );
    const { account } = accounting;
    assert.ok(account.sequenced > 0 && (account.refusedRequests['400'] ?? 0) > 0, 'some were taken and some were not');
  });
}

test('bodies of random bytes are refused or taken, whatever they claim to be', async (t) => {
  const { post } = collectorOf(t);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom<Record<string, string>>(
        {},
        { 'content-encoding': 'gzip' },
        { 'content-type': 'application/json' },
      ),
      async (body, headers) => {
        const { statusCode } = await post('traces', body, headers);
        assert.ok(statusCode === 200 || statusCode === 400);
      },
    ),
    { numRuns: 500 },
  );
});
