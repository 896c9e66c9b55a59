import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  collectorOf,
  inProtobuf,
  JSON_TYPE,
  logs,
  PROTOBUF,
  partialOf,
  span,
  spanId,
  statusOf,
  traces,
} from './harness.ts';

const request = traces('payments', span(1, 2));
const json = JSON.stringify(request);
const protobuf = inProtobuf('traces', request);
const MiB = 1024 * 1024;

test('success is an empty response in the encoding of the request', async (t) => {
  const { post } = collectorOf(t);
  const inJson = await post('traces', json);
  assert.deepEqual([inJson.statusCode, inJson.headers['content-type'], inJson.body], [200, JSON_TYPE, '{}']);
  const inBinary = await post('traces', protobuf);
  assert.deepEqual([inBinary.statusCode, inBinary.headers['content-type'], inBinary.body], [200, PROTOBUF, '']);
});

test('an empty request is a success', async (t) => {
  const { post } = collectorOf(t);
  for (const signal of ['traces', 'logs'] as const) {
    assert.equal((await post(signal, new Uint8Array())).statusCode, 200);
    assert.equal((await post(signal, '{}')).statusCode, 200);
    assert.equal((await post(signal, '')).statusCode, 200);
  }
});

test('the same request in JSON, protobuf and gzip comes to the same observation', async (t) => {
  const { post, observations } = collectorOf(t, { now: () => 1_800_000_000_000_000_000n });
  await post('traces', json);
  await post('traces', protobuf);
  await post('traces', gzipSync(json), {
    'content-type': 'application/json; charset=utf-8',
    'content-encoding': 'gzip',
  });
  await post('traces', gzipSync(protobuf), { 'content-encoding': 'GZIP' });
  assert.equal(observations.length, 4);
  for (const observation of observations) assert.deepEqual(observation, observations[0]);
});

test('another content type is answered 415 and says which are taken', async (t) => {
  const { post, app } = collectorOf(t);
  for (const type of ['text/plain', 'application/grpc', 'application/x-www-form-urlencoded', 'nonsense']) {
    const answer = await post('traces', 'x', { 'content-type': type });
    assert.deepEqual([answer.statusCode, answer.headers['content-type']], [415, JSON_TYPE], type);
  }
  const none = await app.inject({ method: 'POST', url: '/v1/traces', payload: Buffer.from('x') });
  assert.equal(none.statusCode, 415);
  assert.match(
    statusOf(await post('traces', 'x', { 'content-type': 'text/plain' })).message,
    /application\/x-protobuf/,
  );
});

test('another content encoding is answered 415 and names gzip', async (t) => {
  const answer = await collectorOf(t).post('traces', json, { 'content-encoding': 'br' });
  assert.deepEqual([answer.statusCode, answer.headers['accept-encoding']], [415, 'gzip']);
});

test('broken and truncated gzip are answered 400 in the encoding of the request', async (t) => {
  const { post, observations } = collectorOf(t);
  const packed = gzipSync(protobuf);
  for (const body of [protobuf, packed.subarray(0, packed.length - 9), packed.subarray(0, 5), Buffer.from('x')]) {
    const answer = await post('traces', body, { 'content-encoding': 'gzip' });
    assert.deepEqual([answer.statusCode, answer.headers['content-type']], [400, PROTOBUF]);
    assert.match(statusOf(answer).message, /gzip/);
  }
  assert.equal(observations.length, 0);
});

test('truncated protobuf is answered 400, and nothing of it is kept', async (t) => {
  const { post, observations } = collectorOf(t);
  const two = inProtobuf('traces', traces('payments', span(1, 2), span(2, 2)));
  const answer = await post('traces', two.subarray(0, two.length - 3));
  assert.deepEqual([answer.statusCode, answer.headers['content-type']], [400, PROTOBUF]);
  assert.match(statusOf(answer).message, /truncated/);
  assert.equal(observations.length, 0);
});

test('a field to blame is named in a BadRequest detail, in both encodings', async (t) => {
  const { post } = collectorOf(t);
  const answer = await post('traces', JSON.stringify({ resourceSpans: 1 }));
  assert.equal(answer.statusCode, 400);
  assert.equal(answer.json().details[0].fieldViolations[0].field, 'resourceSpans');
  assert.equal(statusOf(answer).details, 1);
});

test('a body over the limit is answered 413, by its declared length and by its real one', async (t) => {
  const { post, app } = collectorOf(t, { maxBodyBytes: 1000 });
  assert.equal((await post('traces', new Uint8Array(1001))).statusCode, 413);
  const lied = await app.inject({
    method: 'POST',
    url: '/v1/traces',
    headers: { 'content-type': PROTOBUF, 'transfer-encoding': 'chunked' },
    payload: Buffer.alloc(1001),
  });
  assert.equal(lied.statusCode, 413);
  assert.match(statusOf(lied).message, /1000 bytes/);
});

test('a body of 65 MiB is answered 413 with nothing configured', async (t) => {
  assert.equal((await collectorOf(t).post('logs', new Uint8Array(65 * MiB))).statusCode, 413);
});

test('a sender that goes on sending beyond the limit still reads the answer', async (t) => {
  const { app } = collectorOf(t, { maxBodyBytes: MiB });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(MiB / 4)) });
  for (const [body, headers] of [
    [new Uint8Array(2 * MiB), {}],
    [endless, {}],
    [gzipSync(Buffer.alloc(50 * MiB), { level: 1 }), { 'content-encoding': 'gzip' }],
  ] as const) {
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': PROTOBUF, ...headers } };
    const answer = await fetch(`${url}/v1/traces`, init as RequestInit);
    assert.equal(answer.status, 413);
    assert.ok((await answer.arrayBuffer()).byteLength > 0);
  }
});

test('a compression bomb is stopped at the limit', async (t) => {
  const bomb = gzipSync(Buffer.alloc(200 * MiB), { level: 9 });
  assert.ok(bomb.length < MiB);
  const answer = await collectorOf(t, { maxBodyBytes: MiB }).post('traces', bomb, { 'content-encoding': 'gzip' });
  assert.equal(answer.statusCode, 413);
  assert.match(statusOf(answer).message, /after decompression/);
});

test('spans that cannot be placed are counted and told; the others are kept', async (t) => {
  const { post, hops } = collectorOf(t);
  const bad = [
    span(1, 2, { traceId: '' }),
    span(2, 2, { traceId: undefined }),
    span(3, 2, { traceId: '0'.repeat(32) }),
    span(4, 2, { traceId: 'ab'.repeat(15) }),
    span(5, 2, { spanId: 'ab'.repeat(9) }),
    span(6, 2, { spanId: '0'.repeat(16) }),
    span(7, 2, { spanId: '123456789012345678901234567890' }),
  ];
  const mixed = traces('payments', ...bad, span(8, 2));
  for (const body of [JSON.stringify(mixed), inProtobuf('traces', mixed)]) {
    const answer = await post('traces', body);
    assert.equal(answer.statusCode, 200);
    const { rejected, message } = partialOf(answer);
    assert.equal(rejected, 7);
    assert.match(message, /2 × span without traceId/);
    assert.match(message, /3 × span with a spanId that is not 8 bytes/);
  }
  assert.deepEqual(
    hops().map(({ trace }) => trace?.spanId),
    [spanId(8), spanId(8)],
  );
});

test('an observation the ledger refuses is a rejected span with the reason', async (t) => {
  const { post } = collectorOf(t, {
    ledger: { append: async (given) => given.map(() => ({ kind: 'refused', reason: 'entry of 70000 bytes' })) },
  });
  assert.deepEqual(partialOf(await post('traces', protobuf)), { rejected: 1, message: '1 × entry of 70000 bytes' });
});

class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly retryable: boolean;
  readonly retryAfterSeconds = 7;
  constructor(retryable: boolean) {
    super('connection to 10.0.0.9:5432 refused');
    this.retryable = retryable;
  }
}

test('while the ledger cannot store, the answer is 503 with Retry-After, and does not say why', async (t) => {
  for (const [error, seconds] of [
    [new LedgerError(true), '7'],
    [new LedgerError(false), '30'],
    [new Error('anything else'), '30'],
  ] as const) {
    const append = () => Promise.reject(error);
    const answer = await collectorOf(t, { ledger: { append } }).post('traces', protobuf);
    assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, seconds]);
    assert.doesNotMatch(statusOf(answer).message, /5432|anything/);
  }
});

test('no success is answered before append resolves', async (t) => {
  const stored = Promise.withResolvers<void>();
  const append = async () => {
    await stored.promise;
    return [{ kind: 'sequenced', leafIndex: 0n, duplicate: false }] as const;
  };
  let answered = false;
  const answer = collectorOf(t, { ledger: { append } })
    .post('traces', protobuf)
    .then(() => {
      answered = true;
    });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(answered, false);
  stored.resolve();
  await answer;
  assert.equal(answered, true);
});

test('with too many bytes in flight the answer is 429 with Retry-After, and later requests are taken again', async (t) => {
  const stored = Promise.withResolvers<void>();
  const append = async () => {
    await stored.promise;
    return [{ kind: 'sequenced', leafIndex: 0n, duplicate: false }] as const;
  };
  const { post } = collectorOf(t, { ledger: { append }, maxBytesInFlight: protobuf.length + 10 });
  const first = post('traces', protobuf);
  const second = await post('traces', protobuf);
  assert.deepEqual([second.statusCode, second.headers['retry-after']], [429, '1']);
  stored.resolve();
  assert.equal((await first).statusCode, 200);
  assert.equal((await post('traces', protobuf)).statusCode, 200);
});

test('packed bodies count as what they unfold to: together they do not exceed the bytes in flight', async (t) => {
  const stored = Promise.withResolvers<void>();
  const append = async () => {
    await stored.promise;
    return [{ kind: 'sequenced', leafIndex: 0n, duplicate: false }] as const;
  };
  const { post } = collectorOf(t, { ledger: { append }, maxBodyBytes: MiB, maxBytesInFlight: 1.5 * MiB });
  const padded = JSON.stringify({ ...request, unread: 'x'.repeat(0.9 * MiB) });
  const packed = gzipSync(padded);
  const headers = { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' };
  const first = post('traces', packed, headers);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await post('traces', packed, headers)).statusCode, 429);
  stored.resolve();
  assert.equal((await first).statusCode, 200);
  assert.equal((await post('traces', packed, headers)).statusCode, 200);
});

test('metrics and profiles are declined for good, other paths and methods too', async (t) => {
  const { app } = collectorOf(t);
  const ask = (method: 'GET' | 'POST', url: string) =>
    app.inject({ method, url, headers: { 'content-type': JSON_TYPE }, ...(method === 'POST' && { payload: '{}' }) });
  for (const url of ['/v1/metrics', '/v1development/profiles']) {
    const answer = await ask('POST', url);
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 12]);
    assert.match(answer.json().message, /takes traces and logs/);
  }
  assert.equal((await ask('POST', '/v1/nothing')).statusCode, 404);
  const got = await ask('GET', '/v1/traces');
  assert.deepEqual([got.statusCode, got.headers.allow], [405, 'POST']);
});

test('a sender that dies in the middle of a body leaves the next request untouched', async (t) => {
  const { app, post, observations } = collectorOf(t);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  for (const encoding of ['identity', 'gzip']) {
    const socket = connect(address.port, '127.0.0.1');
    const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-encoding: ${encoding}\r\ncontent-length: 5000\r\n\r\n`;
    await new Promise<void>((resolve) => socket.write(`${head}abc`, () => resolve()));
    socket.destroy();
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await post('traces', protobuf)).statusCode, 200);
  assert.equal(observations.length, 1);
});

test('every request and record is accounted for', async (t) => {
  const { post, accounting } = collectorOf(t);
  await post('traces', JSON.stringify(traces('s', span(1, 2), span(2, 1), span(3, 2, { spanId: 'ab' }))));
  await post('logs', JSON.stringify(logs('s', { eventName: 'something.else' })));
  await post('traces', 'no json');
  assert.deepEqual(accounting.account, {
    requests: 3,
    refusedRequests: { 400: 1 },
    spans: 3,
    logRecords: 1,
    sequenced: 1,
    duplicates: 0,
    rejected: 1,
    notStored: { internal_span: 1, repeats_parent: 0, other_log_record: 1, own_telemetry: 0 },
  });
});

test('a longer answer is packed for who says it takes gzip, and for nobody else', async (t) => {
  const append = async (given: readonly unknown[]) =>
    given.map(() => ({ kind: 'refused', reason: 'for a long reason '.repeat(20) }) as const);
  const { post } = collectorOf(t, { ledger: { append } });
  const body = json;
  const plain = await post('traces', body);
  assert.ok(plain.rawPayload.length >= 256, `${plain.rawPayload.length}`);
  for (const [accepts, isPacked] of [
    ['gzip', true],
    ['deflate, gzip;q=0.5', true],
    ['gzip;q=0', false],
    ['identity', false],
  ] as const) {
    const answer = await post('traces', body, { 'accept-encoding': accepts });
    assert.equal(answer.headers['content-encoding'], isPacked ? 'gzip' : undefined, accepts);
    assert.equal((isPacked ? gunzipSync(answer.rawPayload) : answer.rawPayload).toString(), plain.body, accepts);
  }
  const short = await post('traces', '{}', { 'accept-encoding': 'gzip' });
  assert.deepEqual([short.headers['content-encoding'], short.body], [undefined, '{}']);
});
