import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HopObservation } from '#observation';
import { TokenCache } from '../../src/sdk/token-cache.ts';
import { guardedService } from './guarded-service.ts';
import { nestedAct } from './token-issuer.ts';

test('a kept token is known until it expires, and five minutes at most', () => {
  const cache = new TokenCache<string>();
  cache.set('short', 'kept', { nowMs: 1000, expiresMs: 2000 });
  cache.set('long', 'kept', { nowMs: 1000, expiresMs: 10_000_000 });
  assert.deepEqual([cache.get('short', 1999), cache.get('short', 2000)], ['kept', undefined]);
  assert.deepEqual([cache.get('long', 300_999), cache.get('long', 301_000)], ['kept', undefined]);
  assert.equal(cache.get('never', 1000), undefined);
});

test('the cache is bounded by the size of its tokens, and what is in use stays', () => {
  const cache = new TokenCache<number>();
  const token = (index: number) => `${index}`.padEnd(10_000, 'x');
  const keep = { nowMs: 0, expiresMs: 1000 };
  for (let index = 0; index < 2000; index += 1) {
    cache.set(token(index), index, keep);
    assert.equal(cache.get(token(0), 0), 0);
  }
  const kept = Array.from({ length: 2000 }, (_, index) => cache.get(token(index), 0)).filter(
    (each) => each !== undefined,
  );
  assert.ok(kept.length > 200 && kept.length < 430, `${kept.length} tokens of 10 kB`);
});

test('a token seen again is recorded as at first, its keys are not asked for again, and it expires all the same', async (t) => {
  const { app, behalf, issuer, receiver } = await guardedService(t, { guard: { clockToleranceSeconds: 0 } });
  app.get('/', async () => 'ok');
  const token = await issuer.sign({ act: nestedAct(2), jti: 'x'.repeat(600) });
  const ask = async () => (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode;
  assert.equal(await ask(), 200);
  await issuer.stop();
  assert.equal(await ask(), 200);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 299_000 });
  assert.equal(await ask(), 200);
  t.mock.timers.setTime(Date.now() + 2000);
  assert.equal(await ask(), 401);
  t.mock.timers.reset();
  await behalf.flush();
  const [first, second, third, last] = receiver.observations as readonly HopObservation[];
  for (const again of [second, third]) {
    assert.deepEqual(
      [again?.authority, again?.actors, again?.subject],
      [first?.authority, first?.actors, first?.subject],
    );
    assert.deepEqual(again?.anomalies, first?.anomalies);
  }
  assert.deepEqual(
    first?.anomalies.map(({ code }) => code),
    ['value_too_long'],
  );
  assert.equal(last?.authority?.verification.reason, 'expired');
});

test('what is refused is not kept: a token that fails is checked anew', async (t) => {
  const { app, issuer } = await guardedService(t);
  app.get('/', async () => 'ok');
  const token = await issuer.sign({ nbf: Math.floor(Date.now() / 1000) + 600 });
  const ask = async () => (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).json().code;
  assert.deepEqual([await ask(), await ask()], ['not_yet_valid', 'not_yet_valid']);
});
