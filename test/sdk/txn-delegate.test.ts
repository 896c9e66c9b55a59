import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DelegateError, tokenDigest } from '@behalf/sdk';
import { decodeJwt } from 'jose';
import type { ExchangeObservation, HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { AUDIENCE } from './token-issuer.ts';
import { type IssuedToken, TOKEN_TYPES, type TokenRequest, tokenService } from './token-service.ts';

const DOMAIN = 'acme.prod';
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TXN = `${TOKEN_TYPES}txn_token`;
const WORKLOAD = 'spiffe://acme.prod/gateway';

/** The draft's rules: the first gives the transaction its id, a replacement keeps `txn`, `sub` and `aud`. */
function issueTxn({ params, held }: TokenRequest): IssuedToken {
  const { txn = 'txn-7', sub, req_wl = [] } = held;
  const now = Math.floor(Date.now() / 1000);
  const workloads = [req_wl as string | string[]].flat();
  return {
    typ: 'txntoken+jwt',
    claims: {
      ...(sub !== undefined && { sub }),
      txn,
      aud: DOMAIN,
      iat: now,
      exp: now + 300,
      scope: params.scope,
      req_wl: [...workloads, `${WORKLOAD}-${workloads.length}`],
    },
    answer: { issued_token_type: TXN, token_type: 'N_A', scope: params.scope },
  };
}

/** A gateway that takes access tokens, and books that takes Txn-Tokens, each behind its own guard. */
async function services(t: TestContext, issue: (request: TokenRequest) => IssuedToken = issueTxn) {
  const tts = await tokenService(t, { grant: GRANT, issue });
  const exchange = { issuer: tts.issuer, clientId: 'gateway', clientSecret: 'secret' };
  const txnToken = { trustDomain: DOMAIN, jwksUri: tts.jwksUri };
  const books = await guardedService(t, { guard: { txnToken }, options: { exchange } });
  const rules = { config: { behalf: { scopes: ['invoice.pay'] } } };
  const work: { run: () => Promise<unknown> } = { run: async () => undefined };
  books.app.post('/entries', rules, async () => work.run());
  const origin = await books.listen();
  const gateway = await guardedService(t, {
    guard: { issuer: tts.issuer, jwksUri: tts.jwksUri },
    options: { exchange, audiences: { [origin]: DOMAIN } },
  });
  const exp = Math.floor(Date.now() / 1000) + 300;
  const access = await tts.sign('at+jwt', {
    iss: tts.issuer,
    aud: AUDIENCE,
    sub: 'dana',
    exp,
    scope: 'invoice.pay invoice.read',
  });
  const ask = () => gateway.app.inject({ method: 'POST', url: '/', headers: { authorization: `Bearer ${access}` } });
  return { tts, books, work, gateway, origin, access, ask };
}

const txn = (scopes: readonly string[]) => ({ audience: DOMAIN, scopes, requestedToken: 'txn_token' as const });

test('an access token becomes a Txn-Token that goes in its own header, is verified there, and is replaced by a narrower one', async (t) => {
  const { tts, books, work, gateway, origin, access, ask } = await services(t);
  const seen: { first?: string; second?: string } = {};
  work.run = async () => {
    const held = books.behalf.currentDelegation();
    seen.second = await books.behalf.delegate(txn(['invoice.read']), (inner) => inner.bearerToken());
    return { sub: held?.subject?.id, through: held?.actors.map(({ id }) => id) };
  };
  gateway.app.post('/', async () =>
    gateway.behalf.delegate(txn(['invoice.pay', 'invoice.read']), async (inner) => {
      seen.first = inner.bearerToken();
      assert.deepEqual([inner.authority.profile, inner.authority.transaction], ['txn-token', 'txn-7']);
      assert.deepEqual(inner.subject, { type: 'unknown', issuer: DOMAIN, id: 'dana', basis: 'unverified' });
      return (await gateway.behalf.fetch(`${origin}/entries`, { method: 'POST' })).json();
    }),
  );
  assert.deepEqual((await ask()).json(), { sub: 'dana', through: [`${WORKLOAD}-0`] });
  assert.deepEqual(
    tts.asked.map(({ clientId, params }) => [
      clientId,
      params.subject_token_type,
      params.requested_token_type,
      params.audience,
    ]),
    [
      ['gateway', `${TOKEN_TYPES}access_token`, TXN, DOMAIN],
      ['gateway', TXN, TXN, DOMAIN],
    ],
  );
  const { first = '', second = '' } = seen;
  const { txn: id, sub, aud, scope, req_wl } = decodeJwt(second);
  assert.deepEqual(
    { id, sub, aud, scope, req_wl },
    { id: 'txn-7', sub: 'dana', aud: DOMAIN, scope: 'invoice.read', req_wl: [`${WORKLOAD}-0`, `${WORKLOAD}-1`] },
  );
  await Promise.all([gateway.behalf.flush(), books.behalf.flush()]);
  const exchanges = [gateway, books].map(({ receiver }) =>
    receiver.observations.find((each): each is ExchangeObservation => each.kind === 'exchange'),
  );
  assert.deepEqual(
    exchanges.map((each) => [each?.tokenIn, each?.tokenOut, each?.scopesGranted, each?.decision.outcome]),
    [
      [tokenDigest(access), tokenDigest(first), ['invoice.pay', 'invoice.read'], 'permit'],
      [tokenDigest(first), tokenDigest(second), ['invoice.read'], 'permit'],
    ],
  );
  const hops = [...gateway.receiver.observations, ...books.receiver.observations].filter(
    (each): each is HopObservation => each.kind === 'hop' && each.authority?.digest === tokenDigest(first),
  );
  assert.deepEqual(
    hops.map(({ side, authority }) => [side, authority?.profile, authority?.verification.status]),
    [
      ['caller', 'txn-token', 'unverified'],
      ['callee', 'txn-token', 'verified'],
    ],
  );
});

test('a service that answers with another kind of token than a Txn-Token is not believed, and that is recorded', async (t) => {
  const { gateway, ask } = await services(t, (request) => ({
    ...issueTxn(request),
    typ: 'at+jwt',
    answer: { issued_token_type: `${TOKEN_TYPES}access_token`, token_type: 'Bearer', scope: request.params.scope },
  }));
  let code: unknown;
  gateway.app.post('/', async () => {
    await gateway.behalf
      .delegate(txn(['invoice.pay']), () => assert.fail('must not run'))
      .catch((error: unknown) => {
        code = error instanceof DelegateError ? error.code : error;
      });
  });
  await ask();
  assert.equal(code, 'exchange_refused');
  await gateway.behalf.flush();
  const refused = gateway.receiver.observations.find(({ kind }) => kind === 'exchange') as ExchangeObservation;
  assert.deepEqual([refused.decision.reason, refused.tokenOut], ['issued_token_type_differs', undefined]);
});
