import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Behalf, type BehalfOptions, DelegateError, type DelegateOptions, tokenDigest } from '@behalf/sdk';
import { decodeJwt } from 'jose';
import type { ExchangeObservation, HopObservation } from '#observation';
import type { ExchangeSeen } from '../../src/demo/delegation.ts';
import { startProvider } from '../../src/demo/identity-provider.ts';
import { BOOKS, GATEWAY, PAY_INVOICE, PLANNER, USER, WRITE_PAYEE } from '../../src/demo/parties.ts';
import { signIn } from '../../src/demo/sign-in.ts';
import { guardedService } from './guarded-service.ts';

const PASSWORD = 'correct horse';

/** The demo's OpenID provider, and the gateway behind the guard, which delegates as its request says. */
async function gateway(t: TestContext, o: { scopes?: readonly string[]; options?: Partial<BehalfOptions> } = {}) {
  const seen: ExchangeSeen[] = [];
  const { issuer, server } = await startProvider({ password: PASSWORD, clients: { gateway: 'secret' } }, (exchange) => {
    seen.push(exchange);
  });
  const stop = () => new Promise((closed) => server.close(closed).closeAllConnections());
  t.after(stop);
  const exchange = { issuer, clientId: 'gateway', clientSecret: 'secret', clientAuthentication: 'client_secret_post' };
  const service = await guardedService(t, {
    options: { exchange: exchange as NonNullable<BehalfOptions['exchange']>, ...o.options },
    guard: { issuer, jwksUri: `${issuer}/jwks`, audience: GATEWAY.resource },
  });
  const { app, behalf } = service;
  let within: (behalf: Behalf) => Promise<unknown> = async () => undefined;
  app.post('/', async () => within(behalf));
  const token = await signIn({ issuer, password: PASSWORD, scopes: o.scopes ?? [PAY_INVOICE] });
  /** Runs in a guarded request. */
  const inRequest = async <T>(run: (behalf: Behalf) => Promise<T>): Promise<T> => {
    const done = Promise.withResolvers<T>();
    within = (each) => run(each).then(done.resolve, done.reject);
    await app.inject({ method: 'POST', url: '/', headers: { authorization: `Bearer ${token}` } });
    return done.promise;
  };
  const exchanges = async () => {
    await behalf.flush();
    return service.receiver.observations.filter((each): each is ExchangeObservation => each.kind === 'exchange');
  };
  return { ...service, issuer, seen, token, inRequest, exchanges, stop };
}

const codeOf = (error: unknown) => (error instanceof DelegateError ? error.code : error);
const failing = (behalf: Behalf, options: DelegateOptions) =>
  behalf.delegate(options, () => assert.fail('must not run')).catch(codeOf);

test('a function runs under the narrower token, and the exchange is recorded digest to digest', async (t) => {
  const { inRequest, exchanges, token, issuer } = await gateway(t, { scopes: [PAY_INVOICE, WRITE_PAYEE] });
  const inner = await inRequest((behalf) =>
    behalf.delegate({ audience: PLANNER.resource, scopes: [PAY_INVOICE], purpose: 'payment' }, async (delegation) => {
      await Promise.resolve();
      assert.equal(behalf.currentDelegation(), delegation);
      return delegation;
    }),
  );
  const out = inner.bearerToken();
  const { sub, aud, scope, act } = decodeJwt(out);
  const gatewayActor = { iss: issuer, sub: 'gateway', sub_profile: 'service' };
  assert.deepEqual(
    { sub, aud, scope, act },
    { sub: USER, aud: PLANNER.resource, scope: PAY_INVOICE, act: gatewayActor },
  );
  assert.deepEqual(
    [inner.subject?.id, inner.actors.map(({ id }) => id), inner.purpose],
    [USER, ['gateway'], 'payment'],
  );
  const [seen, ...more] = await exchanges();
  assert.equal(more.length, 0);
  assert.deepEqual(
    [
      seen?.tokenIn,
      seen?.tokenOut,
      seen?.scopesHeld,
      seen?.scopesRequested,
      seen?.scopesGranted,
      seen?.decision.outcome,
    ],
    [tokenDigest(token), tokenDigest(out), [PAY_INVOICE, WRITE_PAYEE], [PAY_INVOICE], [PAY_INVOICE], 'permit'],
  );
  assert.deepEqual([seen?.audience, seen?.issuer, seen?.requester?.id], [[PLANNER.resource], issuer, 'gateway']);
});

test('calls inside carry the narrower token and its purpose; the outer token is back afterwards', async (t) => {
  const came = Promise.withResolvers<string>();
  const other = createServer((req, res) => {
    came.resolve(String(req.headers.authorization));
    res.end();
  });
  await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
  t.after(() => other.close());
  const origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const { inRequest, behalf, receiver, token } = await gateway(t, {
    options: { audiences: { [origin]: PLANNER.resource } },
  });
  const [inner, after] = await inRequest(async (each) => {
    const used = await each.delegate({ audience: PLANNER.resource, purpose: 'planning' }, async (delegation) => {
      await each.fetch(origin);
      return delegation.bearerToken();
    });
    return [used, each.currentDelegation()?.bearerToken()];
  });
  assert.equal(await came.promise, `Bearer ${inner}`);
  assert.equal(after, token);
  await behalf.flush();
  const call = receiver.observations.find(
    (each): each is HopObservation =>
      each.kind === 'hop' && each.side === 'caller' && each.authority?.digest !== undefined,
  );
  assert.deepEqual([call?.authority?.digest, call?.purpose], [tokenDigest(inner), 'planning']);
});

test('asking for a scope that is not held is refused here, before anybody is asked, and recorded', async (t) => {
  const { inRequest, exchanges, seen } = await gateway(t);
  const options = { audience: PLANNER.resource, scopes: [PAY_INVOICE, WRITE_PAYEE] };
  assert.equal(await inRequest((behalf) => failing(behalf, options)), 'scope_not_held');
  assert.equal(seen.length, 0, 'the provider was not asked');
  const [refused] = await exchanges();
  assert.deepEqual(refused?.decision, { outcome: 'deny', policy: 'behalf-delegate', reason: 'scope_not_held' });
  assert.deepEqual([refused?.scopesRequested, refused?.tokenOut], [options.scopes, undefined]);
});

test('what the authorization server refuses is recorded under its reason', async (t) => {
  const { inRequest, exchanges } = await gateway(t);
  assert.equal(await inRequest((behalf) => failing(behalf, { audience: BOOKS.resource })), 'exchange_refused');
  const [refused] = await exchanges();
  assert.deepEqual(refused?.decision, { outcome: 'deny', policy: 'behalf-delegate', reason: 'invalid_target' });
});

test('a token is exchanged once while it lives, also when many ask at once, and for each audience and scope', async (t) => {
  const { inRequest, exchanges, seen } = await gateway(t, { scopes: [PAY_INVOICE, WRITE_PAYEE] });
  const tokens = await inRequest(async (behalf) => {
    const one = () =>
      behalf.delegate({ audience: PLANNER.resource, scopes: [PAY_INVOICE] }, (each) => each.bearerToken());
    const first = await Promise.all([one(), one(), one()]);
    const other = await behalf.delegate({ audience: PLANNER.resource }, (each) => each.bearerToken());
    return [...first, await one(), other];
  });
  assert.equal(new Set(tokens).size, 2);
  assert.equal(seen.length, 2);
  assert.equal((await exchanges()).length, 2);
});

test('an authorization server that is away refuses the delegation, not the request', async (t) => {
  const { inRequest, exchanges, stop } = await gateway(t);
  await inRequest(async () => undefined); // the guard has its keys
  await stop();
  assert.equal(await inRequest((behalf) => failing(behalf, { audience: PLANNER.resource })), 'exchange_unavailable');
  assert.equal((await exchanges())[0]?.decision.reason, 'exchange_unavailable');
});

test('without a delegation, or without a place to exchange, it says so', async (t) => {
  const { behalf } = await gateway(t);
  assert.equal(await failing(behalf, { audience: PLANNER.resource }), 'no_delegation');
  const { behalf: bare } = await guardedService(t);
  assert.equal(await failing(bare, { audience: PLANNER.resource }), 'not_configured');
});
