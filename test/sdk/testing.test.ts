import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBehalf } from '@behalf/sdk';
import * as semconv from '@behalf/sdk/semconv';
import { startTestCollector } from '@behalf/sdk/testing';
import Fastify from 'fastify';
import { AUDIENCE, nestedAct, tokenIssuer } from './token-issuer.ts';

test('a service’s own test can say on whose behalf a request was done, through whom and with which scope', async (t) => {
  const [collector, issuer] = [await startTestCollector(), await tokenIssuer(t)];
  t.after(() => collector.close());
  const behalf = startBehalf({ service: 'payments', collectorUrl: collector.url });
  t.after(() => behalf.shutdown({ timeoutMs: 100 }));
  const app = Fastify();
  t.after(() => app.close());
  await app.register(behalf.guard, { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: AUDIENCE });
  app.get('/pay', { config: { behalf: { scopes: ['invoice.pay'] } } }, async () => 'paid');
  const ask = async (claims: object) =>
    app.inject({ url: '/pay', headers: { authorization: `Bearer ${await issuer.sign({ ...claims })}` } });
  await ask({ act: nestedAct(2), scope: 'invoice.pay invoice.read' });
  await ask({ sub: 'erin', scope: 'other' });
  behalf.recordExchange({ tokenIn: 'a', tokenOut: 'b' });
  await behalf.flush();

  const paid = collector.expectOne({
    side: 'callee',
    onBehalfOf: 'dana',
    through: ['actor-1', 'actor-2'],
    scope: 'invoice.pay',
  });
  assert.deepEqual([paid.kind, paid.service, paid.attributes[semconv.SEQUENCE]], ['hop', 'payments', 1]);
  collector.expectOne({ onBehalfOf: 'erin', decision: 'deny', reason: 'insufficient_scope', verification: 'verified' });
  collector.expectOne({ kind: 'exchange', decision: 'permit' });
  collector.expectNone({ onBehalfOf: 'mallory' });
  assert.throws(() => collector.expectOne({ onBehalfOf: 'mallory' }), /no observation is .*mallory.*; seen:\n.*dana/s);
  assert.throws(() => collector.expectOne({ kind: 'hop' }), /2 observations are/);
  assert.throws(() => collector.expectNone({ decision: 'deny' }), /an observation is .*deny/);
  assert.equal(collector.matching({ side: 'callee' }).length, 2);
  collector.clear();
  assert.throws(() => collector.expectOne({}), /nothing: was behalf.flush\(\) awaited\?/);
});
