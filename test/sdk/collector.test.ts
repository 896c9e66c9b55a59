import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildCollector } from '#collector';
import type { Observation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { nestedAct } from './token-issuer.ts';

/** What both readings must agree on: the collector stamps its own time and names the instrumentation scope. */
const comparable = ({ received: _received, source: _source, ...rest }: Observation) => rest;

test('the real collector reads every observation as it was meant, and finds nothing amiss', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t, {
    options: { audiences: { 'http://127.0.0.1:1': true } },
  });
  app.get('/pay/:id', { config: { behalf: { scopes: ['invoice.pay'], purpose: 'test' } } }, async () => {
    behalf.recordExchange({
      tokenIn: 'in',
      tokenOut: 'out',
      audience: 'a',
      scopesGranted: ['b'],
      issuer: issuer.issuer,
    });
    await behalf.fetch('http://127.0.0.1:1/', { behalf: { peerService: 'books' } }).catch(() => {});
    return 'ok';
  });
  const tokens = [
    await issuer.sign({ act: nestedAct(3), jti: 'j', txn: 't', client_id: 'c', nbf: 1 }),
    await issuer.sign({ act: nestedAct(40) }),
    await issuer.sign({ exp: 1 }),
    'x.y.z',
  ];
  for (const token of tokens) await app.inject({ url: '/pay/1', headers: { authorization: `Bearer ${token}` } });
  await app.inject('/pay/1');
  await behalf.flush();

  const taken: Observation[] = [];
  const append = async (observations: readonly Observation[]) =>
    observations.map((observation) => {
      taken.push(observation);
      return { kind: 'sequenced', leafIndex: BigInt(taken.length), duplicate: false } as const;
    });
  const collector = buildCollector({ ledger: { append } });
  t.after(() => collector.close());
  for (const payload of receiver.bodies) {
    const headers = { 'content-type': 'application/x-protobuf' };
    const answer = await collector.inject({ method: 'POST', url: '/v1/logs', headers, payload: Buffer.from(payload) });
    assert.equal(answer.statusCode, 200);
  }
  assert.equal(taken.length, 7);
  assert.deepEqual(taken.map(comparable), receiver.observations.map(comparable));
});
