import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { currentDelegation, type Delegation } from '@behalf/sdk';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';

type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];

test('a NodeSDK may be started after Behalf: the same service reports on, now under the SDK’s spans', async (t) => {
  const { app, behalf, issuer, receiver } = await guardedService(t);
  app.get('/pay', async () => {
    await Promise.resolve();
    return currentDelegation()?.subject?.id;
  });
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  assert.equal((await app.inject({ url: '/pay', headers })).payload, 'dana');

  const ended: Parameters<SpanProcessor['onEnd']>[0][] = [];
  const onEnd: SpanProcessor['onEnd'] = (span) => void ended.push(span);
  const spanProcessors = [{ onStart: () => {}, onEnd, forceFlush: async () => {}, shutdown: async () => {} }];
  const sdk = new NodeSDK({ serviceName: 'payments', spanProcessors, instrumentations: [] });
  sdk.start();
  t.after(() => sdk.shutdown());
  assert.equal((await app.inject({ url: '/pay', headers })).payload, 'dana');
  await behalf.flush();

  const [before, after] = receiver.observations as readonly HopObservation[];
  const [span] = ended;
  assert.deepEqual(span?.spanContext().spanId, after?.trace?.spanId);
  assert.notEqual(before?.trace?.spanId, after?.trace?.spanId);
  assert.equal(span?.attributes['behalf.decision.outcome'], 'permit');
  assert.doesNotMatch(JSON.stringify(span?.attributes), /dana|eyJ/, 'nothing personal, no token');
});

test('a delegation can be logged, serialised and copied without its token', async (t) => {
  const { app, issuer } = await guardedService(t);
  let delegation: Delegation | undefined;
  app.get('/', async () => {
    delegation = currentDelegation();
    return 'ok';
  });
  const token = await issuer.sign();
  await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
  assert.ok(delegation);
  const shown = [
    JSON.stringify(delegation),
    inspect(delegation, { showHidden: true, depth: 9 }),
    inspect({ ...delegation }),
  ];
  for (const text of shown) assert.equal(text.includes(token) || text.includes(token.split('.')[2] ?? '?'), false);
  assert.equal(delegation.bearerToken(), token);
  assert.equal(currentDelegation(), undefined);
});
