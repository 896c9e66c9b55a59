import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { fuzz } from './fuzz.ts';
import { collectorOf } from './harness.ts';
import { mutated, numbersFrom } from './mutation.ts';
import { decodeMessage } from './otlp-codec.ts';
import { SEEDS } from './seeds.ts';

const SEED = 20_260;

test('50,000 mutated requests are taken or refused, none throws anything else, and what is taken fits the schema', async () => {
  const { taken, refused, observations } = await fuzz(50_000, SEED);
  assert.ok(taken > 1_000 && refused > 1_000 && observations > 1_000, `${taken} ${refused} ${observations}`);
});

test('over HTTP, mutated requests always get an OTLP answer in their encoding, and never 500', async (t) => {
  const { post, accounting } = collectorOf(t);
  const next = numbersFrom(SEED);
  for (let round = 0; round < 2_000; round += 1) {
    const { signal, type, body } = SEEDS[next(SEEDS.length)] ?? SEEDS[0];
    const sent = mutated(body, next);
    const isPacked = next(2) === 0;
    const contentType = type === 'json' ? 'application/json' : 'application/x-protobuf';
    const headers = { 'content-type': contentType, ...(isPacked && { 'content-encoding': 'gzip' }) };
    const answer = await post(signal, isPacked ? gzipSync(sent, { level: 1 }) : sent, headers);
    assert.ok(answer.statusCode === 200 || answer.statusCode === 400, `round ${round}: ${answer.statusCode}`);
    assert.equal(answer.headers['content-type'], contentType);
    if (type === 'json') answer.json();
    else decodeMessage(answer.statusCode === 200 ? 'ExportServiceResponse' : 'RpcStatus', answer.rawPayload);
  }
  const { account } = accounting;
  assert.ok(account.sequenced > 0 && (account.refusedRequests['400'] ?? 0) > 0, 'some were taken and some were not');
});

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
