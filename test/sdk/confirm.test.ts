import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { GuardMode, RouteRules } from '@behalf/sdk';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';

async function service(t: TestContext, confirm: NonNullable<RouteRules['confirm']>, mode: GuardMode = 'enforce') {
  const made = await guardedService(t, { guard: { mode } });
  const atHandler: number[] = [];
  made.app.get('/erase', { config: { behalf: { resource: 'everything', confirm } } }, async () => {
    atHandler.push(made.receiver.observations.length);
    return 'erased';
  });
  const headers = { authorization: `Bearer ${await made.issuer.sign()}` };
  const ask = async () => (await made.app.inject({ url: '/erase', headers })).statusCode;
  return { ...made, atHandler, ask };
}

test('a dangerous action is done after the ledger has that it will be, as a step below its hop', async (t) => {
  const { ask, atHandler, behalf, receiver } = await service(t, { otherwise: 'refuse' });
  assert.equal(await ask(), 200);
  assert.deepEqual(atHandler, [1]);
  await behalf.flush();
  const [step, hop] = receiver.observations as readonly HopObservation[];
  assert.deepEqual([step?.side, hop?.side, step?.resource], ['local', 'callee', 'everything']);
  assert.equal(step?.trace?.parentSpanId, hop?.trace?.spanId);
  assert.deepEqual(step?.cause, { traceId: hop?.trace?.traceId, spanId: hop?.trace?.spanId });
  assert.deepEqual([step?.subject?.id, step?.outcome?.code], ['dana', 'not_done_yet']);
});

test('without the ledger it is refused or goes on, as the route says; observe refuses nothing', async (t) => {
  for (const [otherwise, mode, status] of [
    ['refuse', 'enforce', 503],
    ['proceed', 'enforce', 200],
    ['refuse', 'observe', 200],
  ] as const) {
    const { ask, atHandler, receiver, behalf } = await service(t, { otherwise, timeoutMs: 50 }, mode);
    receiver.answer = () => ({ status: 503 });
    assert.equal(await ask(), status, `${otherwise} ${mode}`);
    assert.equal(atHandler.length, status === 503 ? 0 : 1);
    receiver.answer = () => ({ status: 200 });
    await behalf.flush();
    const hop = (receiver.observations as readonly HopObservation[]).find(({ side }) => side === 'callee');
    assert.deepEqual(
      hop?.anomalies.map(({ code }) => code),
      ['not_confirmed'],
    );
    assert.equal(hop?.decision?.reason, status === 503 ? 'not_confirmed' : undefined);
  }
});

test('what the collector refuses is not confirmed', async (t) => {
  const { ask, receiver } = await service(t, { otherwise: 'refuse' });
  receiver.answer = () => ({ status: 200, rejected: 1 });
  assert.equal(await ask(), 503);
});
