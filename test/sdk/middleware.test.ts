import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type BehalfOptions, currentDelegation, startBehalf } from '@behalf/sdk';
import express from 'express';
import { Hono } from 'hono';
import type { HopObservation } from '#observation';
import { otlpReceiver } from './otlp-receiver.ts';
import { AUDIENCE, tokenIssuer } from './token-issuer.ts';

async function setting(t: TestContext, options: Partial<BehalfOptions> = {}) {
  const [receiver, issuer] = [await otlpReceiver(t), await tokenIssuer(t)];
  const behalf = startBehalf({ service: 'payments', collectorUrl: receiver.url, ...options });
  t.after(() => behalf.shutdown({ timeoutMs: 100 }));
  const guard = { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: AUDIENCE };
  const seen = async () => {
    await behalf.flush();
    return receiver.observations as readonly HopObservation[];
  };
  return { receiver, issuer, behalf, guard, seen };
}

async function listen(t: TestContext, handler: RequestListener | Server): Promise<string> {
  const server = typeof handler === 'function' ? createServer(handler) : handler;
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const summary = ({ operation, resource, decision, outcome, subject }: HopObservation) => [
  operation,
  resource,
  decision?.outcome,
  decision?.reason,
  outcome?.code,
  subject?.id,
];

test('Express: a guarded route serves who may, refuses who may not, and both are recorded under the route’s pattern', async (t) => {
  const { behalf, guard, issuer, seen } = await setting(t);
  const app = express();
  const guarded = behalf.httpGuard(guard);
  const router = express.Router();
  router.post(
    '/pay/:invoice',
    express.json(),
    guarded<express.Request>({
      scopes: ({ body }) => [`tool.${body.tool}`],
      resource: ({ params }) => String(params.invoice),
    }),
    async (_request, response) => {
      await Promise.resolve();
      response.json({ subject: currentDelegation()?.subject?.id });
    },
  );
  app.use('/v1', router);
  app.get('/open', (_request, response) => void response.send('open'));
  const base = await listen(t, app);
  const ask = async (scope: string) => {
    const headers = { authorization: `Bearer ${await issuer.sign({ scope })}`, 'content-type': 'application/json' };
    const answer = await fetch(`${base}/v1/pay/77`, { method: 'POST', headers, body: '{"tool":"pay"}' });
    return [answer.status, await answer.json()];
  };
  assert.deepEqual(await ask('tool.pay'), [200, { subject: 'dana' }]);
  assert.deepEqual((await ask('tool.other'))[0], 403);
  assert.equal(await (await fetch(`${base}/open`)).text(), 'open');
  assert.deepEqual((await seen()).map(summary), [
    ['POST /v1/pay/:invoice', '77', 'permit', undefined, '200', 'dana'],
    ['POST /v1/pay/:invoice', '77', 'deny', 'insufficient_scope', '403', 'dana'],
  ]);
});

test('Node’s own server: the handler runs in the delegation, without a route there is no path in what is recorded', async (t) => {
  const { behalf, guard, issuer, seen } = await setting(t);
  const guarded = behalf.httpGuard(guard)();
  const base = await listen(t, (request, response) =>
    guarded(request, response, () => {
      setImmediate(() => response.end(currentDelegation()?.subject?.id));
    }),
  );
  const authorization = `Bearer ${await issuer.sign()}`;
  assert.equal(await (await fetch(`${base}/secret-path`, { headers: { authorization } })).text(), 'dana');
  const refused = await fetch(`${base}/secret-path`);
  assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [401, 'token_missing']);
  assert.deepEqual((await seen()).map(summary), [
    ['GET (no route)', undefined, 'permit', undefined, '200', 'dana'],
    ['GET (no route)', undefined, 'deny', 'token_missing', '401', undefined],
  ]);
});

test('with a spool Node’s own server records before its answer leaves', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-http-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { behalf, guard, issuer } = await setting(t, { spool: { folder }, collectorUrl: 'http://127.0.0.1:1' });
  const guarded = behalf.httpGuard(guard)();
  const base = await listen(t, (request, response) =>
    guarded(request, response, () => {
      response.write('first piece, ');
      setTimeout(() => response.end('last piece'), 50);
    }),
  );
  const answer = await fetch(base, { headers: { authorization: `Bearer ${await issuer.sign()}` } });
  assert.equal(await answer.text(), 'first piece, last piece');
  while ((await behalf.flush({ timeoutMs: 1 })).pending === 0) await new Promise((later) => setTimeout(later, 5));
});

test('Express with fsync each: answers wait for the disk, and are the answers of the handlers', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-express-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { behalf, guard, issuer, seen } = await setting(t, { spool: { folder, fsync: 'each' } });
  const app = express();
  app.get('/pay/:invoice', behalf.httpGuard(guard)({ scopes: ['invoice.pay'] }), (request, response) => {
    if (request.params.invoice === '0') throw new Error('no such invoice');
    response.json({ paid: request.params.invoice });
  });
  app.use(
    ((_error, _request, response, _next) => void response.status(404).send('none')) as express.ErrorRequestHandler,
  );
  const base = await listen(t, app);
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  const answers = await Promise.all(
    ['1', '2', '0'].map(async (invoice) => {
      const answer = await fetch(`${base}/pay/${invoice}`, { headers });
      return [answer.status, answer.headers.get('content-length'), await answer.text()];
    }),
  );
  assert.deepEqual(answers, [
    [200, '12', '{"paid":"1"}'],
    [200, '12', '{"paid":"2"}'],
    [404, '4', 'none'],
  ]);
  assert.equal((await fetch(`${base}/pay/1`)).status, 401);
  assert.deepEqual((await seen()).map(({ outcome }) => outcome?.code).toSorted(), ['200', '200', '401', '404']);
});

test('Hono: middleware answers with the handler’s response or the refusal, and a handler that throws is recorded', async (t) => {
  const { behalf, guard, issuer, seen } = await setting(t);
  const guarded = behalf.fetchGuard(guard);
  const app = new Hono();
  app.onError((_error, c) => c.text('broken', 500));
  const protect = guarded({ route: '/pay/:invoice', scopes: ['invoice.pay'] });
  app.use('/pay/*', (c, next) =>
    protect(c.req.raw, async () => {
      await next();
      return c.res;
    }),
  );
  app.get('/pay/:invoice', async (c) => {
    await Promise.resolve();
    if (c.req.param('invoice') === '0') throw new Error('no such invoice');
    return c.json({ subject: currentDelegation()?.subject?.id });
  });
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  const paid = await app.request('/pay/77', { headers });
  assert.deepEqual([paid.status, await paid.json()], [200, { subject: 'dana' }]);
  assert.equal((await app.request('/pay/0', { headers })).status, 500);
  const twice = new Headers(headers);
  twice.append('authorization', headers.authorization);
  assert.equal((await app.request('/pay/77', { headers: twice })).status, 400);
  assert.equal((await app.request('/pay/77?access_token=x')).status, 400);
  assert.deepEqual((await seen()).map(summary), [
    ['GET /pay/:invoice', undefined, 'permit', undefined, '200', 'dana'],
    ['GET /pay/:invoice', undefined, 'permit', undefined, '500', 'dana'],
    ['GET /pay/:invoice', undefined, 'deny', 'token_repeated', '400', undefined],
    ['GET /pay/:invoice', undefined, 'deny', 'token_in_query', '400', undefined],
  ]);
});

test('a bare Fetch handler that throws throws on, and its ending is unknown', async (t) => {
  const { behalf, guard, issuer, seen } = await setting(t);
  const protect = behalf.fetchGuard(guard)({ route: '/' });
  const request = new Request('http://a.example/', { headers: { authorization: `Bearer ${await issuer.sign()}` } });
  await assert.rejects(
    protect(request, () => {
      throw new Error('the host’s own');
    }),
    /the host’s own/,
  );
  assert.deepEqual((await seen())[0]?.outcome, { status: 'unknown', code: 'response_not_completed' });
});
