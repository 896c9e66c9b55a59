import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { currentDelegation, tokenDigest } from '@behalf/sdk';
import type { HopObservation, Observation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { AUDIENCE, nestedAct } from './token-issuer.ts';

const hop = (observation: Observation | undefined): HopObservation => {
  assert.ok(observation?.kind === 'hop');
  return observation;
};

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

test('a verified call reaches the handler with its delegation and is recorded with decision and outcome', async (t) => {
  const { app, behalf, receiver, issuer, listen } = await guardedService(t, {
    options: { version: '1.2.3', instance: 'i-1', environment: 'test', assume: { subject: 'user' } },
  });
  app.post(
    '/pay/:invoice',
    {
      config: {
        behalf: {
          scopes: ['invoice.pay'],
          resource: ({ params }) => `invoice:${(params as { invoice: string }).invoice}`,
          purpose: 'accounts payable',
        },
      },
    },
    async () => {
      await new Promise((later) => setImmediate(later));
      return { subject: currentDelegation()?.subject?.id, actors: currentDelegation()?.actors.map(({ id }) => id) };
    },
  );
  const base = await listen();
  const token = await issuer.sign({
    jti: 'token-1',
    client_id: 'app',
    txn: 'txn-1',
    act: {
      sub: 'payments',
      sub_profile: 'service',
      act: { sub: 'planner', iss: 'https://agents.example', sub_profile: 'ai_agent' },
    },
  });
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01';
  const answer = await fetch(`${base}/pay/77?x=1`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json', traceparent },
    body: '{"amount":1}',
  });
  assert.deepEqual([answer.status, await answer.json()], [200, { subject: 'dana', actors: ['planner', 'payments'] }]);
  assert.deepEqual(await behalf.flush(), { delivered: 1, lost: 0, pending: 0 });

  const seen = hop(receiver.observations[0]);
  assert.deepEqual(seen.subject, { type: 'user', issuer: issuer.issuer, id: 'dana', basis: 'token' });
  assert.deepEqual(seen.actors, [
    { type: 'ai_agent', issuer: 'https://agents.example', id: 'planner', basis: 'token' },
    { type: 'service', issuer: issuer.issuer, id: 'payments', basis: 'token' },
  ]);
  const { issuedAt, expiresAt, ...authority } = seen.authority ?? assert.fail('no authority');
  assert.equal(BigInt(expiresAt ?? 0) - BigInt(issuedAt ?? 0), 300_000_000_000n);
  assert.deepEqual(authority, {
    profile: 'jwt-access-token',
    id: 'token-1',
    transaction: 'txn-1',
    digest: tokenDigest(token),
    issuer: issuer.issuer,
    audience: [AUDIENCE],
    client: 'app',
    scopes: ['invoice.pay'],
    binding: 'bearer',
    verification: { status: 'verified', keyId: 'key-1', by: 'payments' },
  });
  assert.deepEqual(
    { ...seen.trace, spanId: undefined },
    {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      parentSpanId: 'b7ad6b7169203331',
      flags: 1,
      links: [],
      spanId: undefined,
    },
  );
  assert.notEqual(seen.trace?.spanId, 'b7ad6b7169203331');
  assert.deepEqual(seen.reporter, {
    service: 'payments',
    instance: 'i-1',
    environment: 'test',
    authenticated: 'none',
    sequence: '1',
  });
  assert.deepEqual(
    [seen.side, seen.operation, seen.resource, seen.requiredScopes, seen.purpose, seen.transport],
    [
      'callee',
      'POST /pay/:invoice',
      'invoice:77',
      ['invoice.pay'],
      'accounts payable',
      { protocol: 'http', peerAddress: '127.0.0.1' },
    ],
  );
  assert.deepEqual(seen.decision, { outcome: 'permit', policy: 'behalf-guard/enforce' });
  assert.deepEqual(seen.outcome, { status: 'ok', code: '200' });
  assert.ok(BigInt(seen.endTime ?? 0) >= BigInt(seen.time));
});

test('every route needs a token unless it says it is public, unknown ones too', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t);
  app.get('/closed', async () => 'closed');
  app.get('/open', { config: { behalf: { public: true } } }, async () => currentDelegation()?.subject?.id ?? 'nobody');
  assert.equal((await app.inject('/closed')).statusCode, 401);
  assert.equal((await app.inject('/nowhere')).statusCode, 401);
  assert.equal((await app.inject('/open')).payload, 'nobody');
  assert.equal((await app.inject({ url: '/open', headers: bearer('a.b.c') })).payload, 'nobody');
  assert.equal((await app.inject({ url: '/open', headers: bearer(await issuer.sign()) })).payload, 'dana');
  await behalf.flush();
  assert.deepEqual(
    receiver.observations
      .map(hop)
      .map(({ operation, decision, authority }) => [operation, decision?.outcome, authority?.verification.status]),
    [
      ['GET /closed', 'deny', 'absent'],
      ['GET (no route)', 'deny', 'absent'],
      ['GET /open', 'permit', 'absent'],
      ['GET /open', 'permit', 'failed'],
      ['GET /open', 'permit', 'verified'],
    ],
  );
});

test('a refusal is a challenge (RFC 6750) and a problem (RFC 9457), and says nothing the caller sent', async (t) => {
  const { app, issuer } = await guardedService(t);
  app.get('/pay', { config: { behalf: { scopes: ['invoice.pay', 'payee.write'] } } }, async () => 'paid');
  const none = await app.inject('/pay');
  assert.equal(none.headers['www-authenticate'], 'Bearer scope="invoice.pay payee.write"');
  const token = await issuer.sign();
  const narrow = await app.inject({ url: '/pay', headers: bearer(token) });
  assert.equal(narrow.statusCode, 403);
  assert.match(
    String(narrow.headers['www-authenticate']),
    /^Bearer error="insufficient_scope", error_description="[^"]+", scope="invoice.pay payee.write"$/,
  );
  assert.match(String(narrow.headers['content-type']), /^application\/problem\+json/);
  assert.equal(narrow.headers['cache-control'], 'no-store');
  const expired = await issuer.sign({ exp: 1 });
  const late = await app.inject({ url: '/pay', headers: bearer(expired) });
  assert.deepEqual(late.json(), {
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    detail: 'the token has expired',
    code: 'expired',
  });
  for (const answer of [narrow, late]) {
    assert.doesNotMatch(JSON.stringify(answer.headers) + answer.payload, /dana|eyJ/);
  }
});

test('in observe mode nothing is refused and what would have been is recorded', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t, { guard: { mode: 'observe' } });
  app.get(
    '/pay',
    { config: { behalf: { scopes: ['payee.write'] } } },
    async () => currentDelegation()?.subject?.id ?? 'nobody',
  );
  assert.equal((await app.inject('/pay')).payload, 'nobody');
  assert.equal((await app.inject({ url: '/pay', headers: bearer(await issuer.sign({ exp: 1 })) })).payload, 'nobody');
  assert.equal((await app.inject({ url: '/pay', headers: bearer(await issuer.sign()) })).payload, 'dana');
  await behalf.flush();
  assert.deepEqual(
    receiver.observations.map((each) => hop(each).decision),
    ['token_missing', 'expired', 'insufficient_scope'].map((code) => ({
      outcome: 'permit',
      policy: 'behalf-guard/observe',
      reason: `would_deny:${code}`,
    })),
  );
});

test('scopes that depend on the body are asked once it is read, and what cannot be told stays closed', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t);
  const tools = new Map([
    ['pay', ['invoice.pay']],
    ['add', ['payee.write']],
  ]);
  app.post(
    '/mcp',
    {
      config: {
        behalf: {
          scopes: ({ body }) => tools.get((body as { tool: string }).tool) ?? assert.fail('no such tool'),
          operation: ({ body }) => `tool ${(body as { tool: string }).tool}`,
        },
      },
    },
    async () => 'done',
  );
  const headers = { ...bearer(await issuer.sign()), 'content-type': 'application/json' };
  const call = async (payload: string) =>
    (await app.inject({ method: 'POST', url: '/mcp', headers, payload })).statusCode;
  assert.equal(await call('{"tool":"pay"}'), 200);
  assert.equal(await call('{"tool":"add"}'), 403);
  assert.equal(await call('{"tool":"other"}'), 403);
  assert.equal(await call('{'), 400);
  await behalf.flush();
  assert.deepEqual(
    receiver.observations
      .map(hop)
      .map(({ decision, requiredScopes, outcome }) => [decision?.outcome, requiredScopes, outcome?.code]),
    [
      ['permit', ['invoice.pay'], '200'],
      ['deny', ['payee.write'], '403'],
      ['deny', [], '403'],
      [undefined, [], '400'],
    ],
  );
});

test('a client that leaves before the answer gives one observation with an unknown outcome', async (t) => {
  const { app, behalf, receiver, issuer, listen } = await guardedService(t);
  const reached = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  app.get('/slow', async (_request, reply) => {
    reached.resolve();
    await once(reply.raw, 'close');
    left.resolve();
    return 'late';
  });
  const { port } = new URL(await listen());
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`GET /slow HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await issuer.sign()}\r\n\r\n`);
  await reached.promise;
  socket.destroy();
  await left.promise;
  await app.close();
  await behalf.flush();
  assert.deepEqual(
    receiver.observations.map((each) => hop(each).outcome),
    [{ status: 'unknown', code: 'response_not_completed' }],
  );
});

test('a handler that fails is recorded as a failure of the call', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t);
  app.get('/fail', async () => {
    throw new Error('no');
  });
  assert.equal((await app.inject({ url: '/fail', headers: bearer(await issuer.sign()) })).statusCode, 500);
  await behalf.flush();
  const { decision, outcome } = hop(receiver.observations[0]);
  assert.deepEqual([decision?.outcome, outcome], ['permit', { status: 'error', code: '500' }]);
});

test('keys are found through the issuer’s metadata, once', async (t) => {
  const { app, issuer } = await guardedService(t, { guard: { jwksUri: undefined as never } });
  app.get('/', async () => 'ok');
  const headers = bearer(await issuer.sign());
  const codes = await Promise.all([1, 2, 3].map(() => app.inject({ url: '/', headers })));
  assert.deepEqual(
    codes.map(({ statusCode }) => statusCode),
    [200, 200, 200],
  );
  assert.deepEqual(Object.fromEntries(issuer.fetched), {
    '/.well-known/oauth-authorization-server/tenant': 1,
    '/tenant/.well-known/openid-configuration': 1,
    '/keys': 1,
  });
});

test('without the issuer’s keys a call is refused as unavailable, never let through', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t);
  app.get('/', async () => 'ok');
  const headers = bearer(await issuer.sign());
  issuer.status = 500;
  const broken = await app.inject({ url: '/', headers });
  assert.deepEqual(
    [broken.statusCode, broken.headers['retry-after'], broken.json().code],
    [503, '5', 'keys_unavailable'],
  );
  await issuer.stop();
  assert.equal((await app.inject({ url: '/', headers })).statusCode, 503);
  await behalf.flush();
  for (const { authority, decision, subject } of receiver.observations.map(hop)) {
    assert.deepEqual(authority?.verification, {
      status: 'unverified',
      reason: 'keys_unavailable',
      by: 'payments',
      keyId: 'key-1',
    });
    assert.deepEqual([decision?.outcome, decision?.reason, subject?.basis], ['deny', 'keys_unavailable', 'unverified']);
  }
});

test('while the keys cannot be had they are not asked for with every token', async (t) => {
  const { app, issuer } = await guardedService(t);
  app.get('/', async () => 'ok');
  issuer.status = 500;
  for (let index = 0; index < 10; index += 1) {
    const headers = bearer(await issuer.sign({ jti: String(index) }));
    assert.equal((await app.inject({ url: '/', headers })).json().code, 'keys_unavailable');
  }
  assert.equal(issuer.fetched.get('/keys'), 1);
});

test('a client acting for itself is a service, and a profile that names a person wins', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t);
  app.get('/', async () => 'ok');
  for (const claims of [
    { sub: 'cron', client_id: 'cron' },
    { sub: 'dana', sub_profile: 'AI_agent user' },
    { sub: 'dana' },
  ]) {
    await app.inject({ url: '/', headers: bearer(await issuer.sign(claims)) });
  }
  await behalf.flush();
  assert.deepEqual(
    receiver.observations.map((each) => hop(each).subject?.type),
    ['service', 'user', 'unknown'],
  );
});

test('an act as deep as allowed is accepted; one deeper is refused and kept as evidence', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t, { guard: { maxActors: 4 } });
  app.get('/', async () => 'ok');
  const call = async (depth: number) =>
    (await app.inject({ url: '/', headers: bearer(await issuer.sign({ act: nestedAct(depth) })) })).statusCode;
  assert.deepEqual([await call(4), await call(5), await call(70)], [200, 401, 401]);
  await behalf.flush();
  const [four, five, seventy] = receiver.observations.map(hop);
  assert.deepEqual(
    four?.actors.map(({ id, basis }) => [id, basis]),
    [1, 2, 3, 4].map((n) => [`actor-${n}`, 'token']),
  );
  assert.deepEqual(
    five?.actors.map(({ id, basis }) => [id, basis]),
    [1, 2, 3, 4, 5].map((n) => [`actor-${n}`, 'unverified']),
  );
  assert.deepEqual(five?.authority?.verification, {
    status: 'failed',
    reason: 'act_too_deep',
    keyId: 'key-1',
    by: 'payments',
  });
  assert.deepEqual(five?.anomalies, [{ code: 'act_too_deep', detail: '5 actors, 5 kept' }]);
  assert.deepEqual([seventy?.actors.length, seventy?.actors.at(-1)?.id], [64, 'actor-70']);
});
