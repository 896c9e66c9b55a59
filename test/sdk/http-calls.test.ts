import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, {
  type ClientRequest,
  createServer,
  get,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type TestContext, test } from 'node:test';
import { tokenDigest } from '@behalf/sdk';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { AUDIENCE } from './token-issuer.ts';

interface Got {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
  readonly body: string;
}

/** A service on loopback that remembers what it got. */
async function callee(t: TestContext, answer = 200) {
  const got: Got[] = [];
  const server = createServer(async (req, res) => {
    const body = await req.setEncoding('utf8').toArray();
    got.push({ method: req.method, headers: req.headers, raw: req.rawHeaders, body: body.join('') });
    if (answer === 0) req.socket.destroy();
    else res.writeHead(answer).end('done');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { got, port, url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}` };
}

async function answerTo(made: ClientRequest): Promise<string> {
  const [response] = (await once(made, 'response')) as [IncomingMessage];
  return (await response.setEncoding('utf8').toArray()).join('');
}

/** A guarded service that records every call, and makes `call` in a request for dana. */
async function caller(t: TestContext, audiences: Record<string, string | true> = {}) {
  const made = await guardedService(t, { options: { automatic: true, audiences } });
  let within: () => Promise<unknown> = async () => undefined;
  made.app.post('/', async () => within());
  const token = await made.issuer.sign();
  const inRequest = async (call: (token: string) => Promise<unknown>) => {
    within = () => call(token);
    const answer = await made.app.inject({ method: 'POST', url: '/', headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.statusCode, 200, answer.payload);
  };
  const recorded = async () => {
    await made.behalf.flush();
    const hops = made.receiver.observations as readonly HopObservation[];
    return { calls: hops.filter(({ side }) => side === 'caller'), served: hops.find(({ side }) => side === 'callee') };
  };
  return { ...made, token, inRequest, recorded };
}

test('request and get carry the delegation to configured origins, and both sides of it are one trace', async (t) => {
  const other = await callee(t);
  const { inRequest, recorded, token, receiver } = await caller(t, { [other.url]: AUDIENCE });
  const mine = { 'X-Mine': 'kept', Accept: ['a/b', 'c/d'] };
  await inRequest(async () => {
    assert.equal(await answerTo(get(`${other.url}/entries?x=1`, { headers: mine })), 'done');
    const posting = request(new URL(other.url), { method: 'POST', headers: Object.entries(mine).flat(2).slice(0, 2) });
    const answered = answerTo(posting);
    await pipeline(Readable.from(['in ', 'parts']), posting);
    assert.equal(await answered, 'done');
    const plain = http.request({ hostname: '127.0.0.1', port: other.port, method: 'PUT', path: '/x' });
    plain.end('body');
    assert.equal(await answerTo(plain), 'done');
  });
  assert.deepEqual(
    other.got.map(({ method, headers, body }) => [method, headers.authorization, body]),
    ['GET', 'POST', 'PUT'].map((method, index) => [method, `Bearer ${token}`, ['', 'in parts', 'body'][index]]),
  );
  assert.deepEqual([other.got[0]?.headers.accept, other.got[1]?.headers['x-mine']], ['a/b, c/d', 'kept']);
  assert.ok(other.got[0]?.raw.includes('X-Mine'), 'names are as the program wrote them');
  const { calls, served } = await recorded();
  assert.equal(calls.length, 3, 'neither the SDK’s own calls nor anything else is recorded');
  for (const [index, call] of calls.entries()) {
    const { traceId, spanId } = call.trace ?? {};
    assert.equal(other.got[index]?.headers.traceparent?.slice(0, 52), `00-${traceId}-${spanId}`);
    assert.deepEqual(call.cause, { traceId: served?.trace?.traceId, spanId: served?.trace?.spanId });
    assert.deepEqual(
      [call.authority?.digest, call.operation, call.transport.peerAddress, call.outcome],
      [tokenDigest(token), `${other.got[index]?.method} ${other.host}`, other.host, { status: 'ok', code: '200' }],
    );
  }
  for (const body of receiver.bodies) assert.equal(Buffer.from(body).includes(token), false);
});

test('towards any other origin identity is taken out, however and whenever the program put it there', async (t) => {
  const other = await callee(t);
  const { inRequest, recorded } = await caller(t, { 'http://127.0.0.1:1': AUDIENCE });
  await inRequest(async (token) => {
    const identity = { Authorization: `Bearer ${token}`, baggage: 'user=dana', 'Txn-Token': 'x', 'x-token': token };
    const headers = { ...identity, cookie: 'own=1' };
    await answerTo(get(other.url, { headers }));
    await answerTo(get(other.url, { headers: Object.entries({ host: other.host, ...headers }).flat() }));
    await answerTo(get({ host: '127.0.0.1', port: other.port, headers: { ...headers, expect: '100-continue' } }));
    const later = request(other.url, { method: 'POST' });
    for (const [name, value] of Object.entries(headers)) later.setHeader(name, value);
    later.end();
    await answerTo(later);
    await answerTo(get(other.url, { headers: { ...headers, host: '127.0.0.1:1' } }));
  });
  assert.equal(other.got.length, 5);
  for (const { headers } of other.got) {
    const { authorization, baggage, cookie, 'txn-token': txn, 'x-token': copy } = headers;
    assert.deepEqual(
      [authorization, baggage, txn, copy, cookie],
      [undefined, undefined, undefined, undefined, 'own=1'],
    );
  }
  const { calls } = await recorded();
  assert.deepEqual(
    calls.map(({ anomalies, absent, transport }) => [anomalies.length, absent.subject, transport.peerAddress]),
    Array(5).fill([4, 'not_disclosed', other.host]),
  );
});

test('the context is that in which the request was made, wherever it is written', async (t) => {
  const other = await callee(t);
  const { inRequest, token } = await caller(t, { [other.url]: AUDIENCE });
  const made = Promise.withResolvers<ClientRequest>();
  await inRequest(async () => made.resolve(request(other.url)));
  const later = await made.promise;
  later.end();
  await answerTo(later);
  assert.equal(other.got[0]?.headers.authorization, `Bearer ${token}`);
});

test('a failed call, a broken one and a refused one are recorded, and fail as they would', async (t) => {
  const [refusing, breaking] = [await callee(t, 403), await callee(t, 0)];
  const { recorded } = await caller(t);
  const gone = createServer();
  await new Promise<void>((listening) => gone.listen(0, '127.0.0.1', listening));
  const { port } = gone.address() as AddressInfo;
  await new Promise((closed) => gone.close(closed));
  await assert.rejects(answerTo(get(`http://127.0.0.1:${port}/`)), { code: 'ECONNREFUSED' });
  await assert.rejects(answerTo(get(breaking.url)), { code: 'ECONNRESET' });
  assert.equal(await answerTo(get(refusing.url)), 'done');
  assert.throws(() => get('nonsense'), { code: 'ERR_INVALID_URL' });
  assert.throws(() => get(refusing.url, { headers: { 'not a name': '1' } }), { code: 'ERR_INVALID_HTTP_TOKEN' });
  const { calls } = await recorded();
  assert.deepEqual(
    calls.map(({ outcome }) => outcome?.code),
    ['ECONNREFUSED', 'ECONNRESET', '403'],
  );
});

test('after shutdown Node’s own functions are back', async (t) => {
  const other = await callee(t);
  const before = [http.request, http.get];
  const { behalf } = await guardedService(t, { options: { automatic: true } });
  assert.notEqual(http.request, before[0]);
  await behalf.shutdown();
  assert.deepEqual([http.request, http.get, request, get], [...before, ...before]);
  await answerTo(get(other.url));
  assert.equal(other.got[0]?.headers.traceparent, undefined);
});
