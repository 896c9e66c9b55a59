import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type BehalfOptions, startBehalf, tokenDigest } from '@behalf/sdk';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { otlpReceiver } from './otlp-receiver.ts';
import { AUDIENCE, tokenIssuer } from './token-issuer.ts';

/** A plain service that keeps the requests it gets. */
async function plainService(t: TestContext, answer: RequestListener = (_req, res) => res.end('ok')) {
  const requests: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    requests.push(req);
    answer(req, res);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** An origin on loopback where nobody listens. */
async function closedOrigin(): Promise<string> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}`;
}

async function caller(t: TestContext, options: Partial<BehalfOptions> = {}) {
  const receiver = await otlpReceiver(t);
  const behalf = startBehalf({ service: 'gateway', collectorUrl: receiver.url, ...options });
  t.after(() => behalf.shutdown({ timeoutMs: 100 }));
  const hops = async () => {
    await behalf.flush();
    return receiver.observations as readonly HopObservation[];
  };
  return { behalf, receiver, hops };
}

test('both sides of a call report the same crossing, and what it leads to names its cause', async (t) => {
  const books = await guardedService(t, {
    guard: { audience: 'https://books.example' },
    options: { service: 'books' },
  });
  books.app.post('/entries', async () => 'written');
  const booksUrl = await books.listen();
  const payments = await guardedService(t, { options: { audiences: { [booksUrl]: 'https://books.example' } } });
  const out = await books.issuer.sign({ aud: 'https://books.example', act: { sub: 'payments' } });
  payments.app.post('/pay', async () => {
    const answer = await payments.behalf.fetch(`${booksUrl}/entries`, {
      method: 'POST',
      behalf: { token: out, operation: 'write entry', resource: 'ledger', purpose: 'payment', peerService: 'books' },
    });
    return answer.text();
  });
  const inbound = await payments.issuer.sign();
  const paid = await fetch(`${await payments.listen()}/pay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${inbound}`, 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(await paid.text(), 'written');
  await Promise.all([payments.behalf.flush(), books.behalf.flush()]);
  const [atBooks] = books.receiver.observations as readonly HopObservation[];
  const [call, atPayments] = payments.receiver.observations as readonly HopObservation[];
  assert.ok(call && atPayments && atBooks);

  assert.deepEqual([call.side, atPayments.side, atBooks.side], ['caller', 'callee', 'callee']);
  assert.deepEqual([call.trace?.traceId, atBooks.trace?.parentSpanId], [atBooks.trace?.traceId, call.trace?.spanId]);
  assert.deepEqual(call.cause, { traceId: atPayments.trace?.traceId, spanId: atPayments.trace?.spanId });
  assert.equal(call.trace?.parentSpanId, atPayments.trace?.spanId);
  assert.deepEqual([call.authority?.digest, atBooks.authority?.digest], [tokenDigest(out), tokenDigest(out)]);
  assert.deepEqual([call.authority?.verification.status, call.subject?.basis], ['unverified', 'unverified']);
  assert.deepEqual([call.subject?.id, call.actors.map(({ id }) => id)], ['dana', ['payments']]);
  assert.deepEqual(
    [call.operation, call.resource, call.purpose, call.transport],
    [
      'write entry',
      'ledger',
      'payment',
      { protocol: 'http', peerService: 'books', peerAddress: new URL(booksUrl).host },
    ],
  );
  assert.deepEqual(call.outcome, { status: 'ok', code: '200' });
  assert.deepEqual([call.reporter.sequence, atPayments.reporter.sequence], ['1', '2']);
});

test('the delegation’s token goes to a configured origin whose audience it names, as verified', async (t) => {
  const books = await plainService(t);
  const payments = await guardedService(t, { options: { audiences: { [books.origin]: AUDIENCE } } });
  payments.app.get('/', async () => (await payments.behalf.fetch(books.origin)).text());
  const authorization = `Bearer ${await payments.issuer.sign()}`;
  await payments.app.inject({ url: '/', headers: { authorization } });
  assert.equal(books.requests[0]?.headers.authorization, authorization);
  await payments.behalf.flush();
  const [call] = payments.receiver.observations as readonly HopObservation[];
  assert.deepEqual([call?.authority?.verification.status, call?.subject?.basis], ['verified', 'token']);
});

test('a token meant for another audience than the origin’s is withheld, and that is recorded', async (t) => {
  const books = await plainService(t);
  const payments = await guardedService(t, { options: { audiences: { [books.origin]: 'https://books.example' } } });
  payments.app.get('/', async () => (await payments.behalf.fetch(books.origin)).text());
  await payments.app.inject({ url: '/', headers: { authorization: `Bearer ${await payments.issuer.sign()}` } });
  assert.equal(books.requests[0]?.headers.authorization, undefined);
  await payments.behalf.flush();
  const [call] = payments.receiver.observations as readonly HopObservation[];
  assert.deepEqual(
    call?.anomalies.map(({ code }) => code),
    ['token_withheld'],
  );
  assert.deepEqual([call?.authority?.verification.status, call?.absent], ['absent', { subject: 'not_disclosed' }]);
});

test('towards an origin that is not configured no token leaves, in whichever header, and no identity header or baggage', async (t) => {
  const elsewhere = await plainService(t);
  const { issuer, app, behalf, receiver } = await guardedService(t);
  app.get('/', async ({ headers }) => {
    const token = String(headers.authorization).slice('Bearer '.length);
    await behalf.fetch(`${elsewhere.origin}/x`, {
      headers: {
        authorization: `Bearer ${token}`,
        'x-forwarded-access-token': token,
        cookie: `session=${token}; theme=dark`,
        'txn-token': 'txn',
        'workload-identity-token': 'wit',
        baggage: `user=dana,token=${token}`,
        'x-mine': 'kept',
      },
    });
    return 'ok';
  });
  const token = await issuer.sign();
  await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
  const sent = elsewhere.requests[0]?.headers ?? {};
  assert.equal(JSON.stringify(sent).includes(token), false);
  for (const name of [
    'authorization',
    'x-forwarded-access-token',
    'cookie',
    'txn-token',
    'workload-identity-token',
    'baggage',
  ]) {
    assert.equal(sent[name], undefined, name);
  }
  assert.equal(sent['x-mine'], 'kept');
  await behalf.flush();
  const [call] = receiver.observations as readonly HopObservation[];
  assert.deepEqual(new Set(call?.anomalies.map(({ code }) => code)), new Set(['identity_withheld']));
  assert.equal(call?.anomalies.length, 6);
  assert.deepEqual(call?.absent, { subject: 'not_disclosed' });
});

test('a token given for the call or the service does not leave for an origin that is not configured either', async (t) => {
  const elsewhere = await plainService(t);
  const { behalf } = await caller(t, { token: async () => 'own-token', audiences: { 'https://a.example': true } });
  await behalf.fetch(elsewhere.origin, {
    behalf: { token: 'call-token' },
    headers: { x: 'own-token', y: 'call-token' },
  });
  assert.doesNotMatch(JSON.stringify(elsewhere.requests[0]?.headers), /own-token|call-token/);
});

test('the program’s own credential for another origin stays, and its password is not digested', async (t) => {
  const elsewhere = await plainService(t);
  const { behalf, hops } = await caller(t);
  const authorization = `Basic ${btoa('me:secret')}`;
  await behalf.fetch(elsewhere.origin, { headers: { authorization } });
  assert.equal(elsewhere.requests[0]?.headers.authorization, authorization);
  const [call] = await hops();
  assert.deepEqual(call?.authority, { profile: 'http-authorization', verification: { status: 'unverified' } });
});

test('a redirect to another origin does not take the token along', async (t) => {
  const elsewhere = await plainService(t);
  const books = await plainService(t, (_req, res) => res.writeHead(307, { location: `${elsewhere.origin}/` }).end());
  const { behalf } = await caller(t, { token: 'own-token', audiences: { [books.origin]: true } });
  await behalf.fetch(books.origin);
  assert.equal(books.requests[0]?.headers.authorization, 'Bearer own-token');
  assert.equal(elsewhere.requests.length, 1);
  assert.doesNotMatch(JSON.stringify(elsewhere.requests[0]?.headers), /own-token/);
});

test('without an OpenTelemetry SDK traceparent still carries the call’s own span', async (t) => {
  const books = await plainService(t);
  const { behalf, hops } = await caller(t);
  await behalf.fetch(`${books.origin}/secret/path?key=1`, { headers: { traceparent: 'stale' } });
  const [call] = await hops();
  assert.equal(books.requests[0]?.headers.traceparent, `00-${call?.trace?.traceId}-${call?.trace?.spanId}-03`);
  assert.equal(call?.operation, `GET ${new URL(books.origin).host}`, 'nothing of the path or the query');
  assert.deepEqual([call?.cause, call?.trace?.parentSpanId], [undefined, undefined]);
});

test('answers and errors are those of fetch, and are recorded', async (t) => {
  const books = await plainService(t, (_req, res) => res.writeHead(503).end('busy'));
  const { behalf, hops } = await caller(t);
  const answer = await behalf.fetch(new Request(books.origin, { method: 'PUT', body: 'x', headers: { 'x-a': '1' } }));
  assert.deepEqual([answer.status, await answer.text()], [503, 'busy']);
  assert.deepEqual([books.requests[0]?.method, books.requests[0]?.headers['x-a']], ['PUT', '1']);
  await assert.rejects(behalf.fetch(await closedOrigin()), TypeError);
  await assert.rejects(behalf.fetch(books.origin, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(behalf.fetch('not a url'), TypeError);
  assert.deepEqual(
    (await hops()).map(({ outcome }) => [outcome?.status, outcome?.code]),
    [
      ['error', '503'],
      ['error', 'ECONNREFUSED'],
      ['error', 'AbortError'],
    ],
  );
});

test('an opaque token goes where it is configured, and is recorded by its digest', async (t) => {
  const books = await plainService(t);
  const { behalf, hops, receiver } = await caller(t, { audiences: { [books.origin]: 'https://books.example' } });
  await behalf.fetch(books.origin, { behalf: { token: 'opaque-token-0123456789' } });
  assert.equal(books.requests[0]?.headers.authorization, 'Bearer opaque-token-0123456789');
  const [call] = await hops();
  assert.deepEqual(
    [call?.authority?.profile, call?.authority?.digest],
    ['opaque', tokenDigest('opaque-token-0123456789')],
  );
  assert.ok(receiver.bodies.every((body) => !Buffer.from(body).includes('opaque-token-0123456789')));
});

test('an exchange is recorded by digests, with its scopes, parties and decision', async (t) => {
  const { behalf, receiver } = await caller(t);
  const issuer = await tokenIssuer(t);
  const [tokenIn, tokenOut] = [
    await issuer.sign(),
    await issuer.sign({ act: { sub: 'payments' }, aud: 'https://b.example' }),
  ];
  behalf.recordExchange({
    tokenIn,
    tokenOut,
    actorToken: 'actor-token-0123456789',
    requester: { type: 'service', issuer: issuer.issuer, id: 'payments', basis: 'token' },
    issuer: issuer.issuer,
    audience: 'https://b.example',
    scopesHeld: ['a', 'b'],
    scopesRequested: ['a'],
    scopesGranted: ['a'],
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01',
  });
  behalf.recordExchange({
    tokenIn: 'opaque-in-0123456789',
    decision: { outcome: 'deny', reason: 'invalid_scope' },
    subject: { type: 'user', id: 'dana' },
    actors: [{ type: 'ai_agent', id: 'planner' }],
  });
  await behalf.flush();
  const [granted, denied] = receiver.observations;
  assert.ok(granted?.kind === 'exchange' && denied?.kind === 'exchange');
  assert.deepEqual(
    [granted.tokenIn, granted.tokenOut, granted.actorToken],
    [tokenIn, tokenOut, 'actor-token-0123456789'].map(tokenDigest),
  );
  assert.deepEqual(
    [granted.decision, granted.scopesHeld, granted.scopesRequested, granted.scopesGranted, granted.audience],
    [{ outcome: 'permit' }, ['a', 'b'], ['a'], ['a'], ['https://b.example']],
  );
  assert.deepEqual(
    [granted.subject?.id, granted.subject?.basis, granted.actors.map(({ id }) => id)],
    ['dana', 'unverified', ['payments']],
  );
  assert.deepEqual(granted.requester, { type: 'service', issuer: issuer.issuer, id: 'payments', basis: 'token' });
  assert.deepEqual(
    [granted.trace?.traceId, granted.trace?.parentSpanId],
    ['4bf92f3577b34da6a3ce929d0e0e4736', 'b7ad6b7169203331'],
  );
  assert.deepEqual(
    [denied.decision, denied.tokenOut, denied.subject, denied.actors],
    [
      { outcome: 'deny', reason: 'invalid_scope' },
      undefined,
      { type: 'user', id: 'dana', basis: 'attribute' },
      [{ type: 'ai_agent', id: 'planner', basis: 'attribute' }],
    ],
  );
  const sent = Buffer.concat(receiver.bodies);
  for (const secret of [tokenIn, tokenOut, 'actor-token-0123456789', 'opaque-in-0123456789'])
    assert.equal(sent.includes(secret), false);
});

test('an exchange that cannot be described costs the host nothing', async (t) => {
  const { behalf, receiver } = await caller(t);
  behalf.recordExchange({ tokenIn: undefined as never });
  behalf.recordExchange({ tokenIn: 'in', actors: 'not a list' as never });
  behalf.recordExchange({ tokenIn: 'in' });
  await behalf.flush();
  assert.deepEqual(
    receiver.observations.map(({ reporter }) => reporter.sequence),
    ['1'],
  );
});
