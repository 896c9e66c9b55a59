import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose';
import type { ExchangeSeen } from '../../src/demo/delegation.ts';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from '../../src/demo/grant-type.ts';
import { startProvider } from '../../src/demo/identity-provider.ts';
import { BOOKS, GATEWAY, PAY_INVOICE, PAYMENTS, PLANNER, USER, WRITE_PAYEE } from '../../src/demo/parties.ts';
import { signIn } from '../../src/demo/sign-in.ts';

const PASSWORD = 'correct horse';

async function openProvider(t: TestContext) {
  const seen: ExchangeSeen[] = [];
  const clients = { gateway: 'secret-g', planner: 'secret-p', payments: 'secret-y' };
  const { issuer, server, provider } = await startProvider({ password: PASSWORD, clients }, (exchange) =>
    seen.push(exchange),
  );
  t.after(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  const exchange = async (client: keyof typeof clients, given: Readonly<Record<string, string>>) => {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: TOKEN_EXCHANGE,
        subject_token_type: ACCESS_TOKEN_TYPE,
        client_id: client,
        client_secret: clients[client],
        ...given,
      }),
    });
    const answer = (await response.json()) as Readonly<Record<string, string>>;
    return { status: response.status, error: answer.error, token: answer.access_token ?? '', answer };
  };
  const login = (scopes: readonly string[] = [PAY_INVOICE]) => signIn({ issuer, password: PASSWORD, scopes });
  return { issuer, provider, seen, exchange, login };
}

test('a signed-in user gets a JWT access token (RFC 9068) for the one resource asked for, with the scopes consented to', async (t) => {
  const { issuer, login } = await openProvider(t);
  const token = await login();
  assert.equal(decodeProtectedHeader(token).typ, 'at+jwt');
  const { iss, sub, aud, scope, client_id, act } = decodeJwt(token);
  assert.deepEqual(
    { iss, sub, aud, scope, client_id, act },
    { iss: issuer, sub: USER, aud: GATEWAY.resource, scope: PAY_INVOICE, client_id: 'invoice-app', act: undefined },
  );
});

test('a wrong password signs nobody in', async (t) => {
  const { issuer } = await openProvider(t);
  await assert.rejects(signIn({ issuer, password: 'wrong', scopes: [PAY_INVOICE] }), /401: unknown user or wrong/);
});

test('each exchange puts the requester outermost in act, with its issuer, and nests who acted before', async (t) => {
  const { issuer, exchange, login } = await openProvider(t);
  const first = await exchange('gateway', { subject_token: await login(), audience: PLANNER.resource });
  const second = await exchange('planner', { subject_token: first.token, resource: PAYMENTS.resource });
  const third = await exchange('payments', { subject_token: second.token, audience: BOOKS.resource });
  const { sub, aud, scope, act } = decodeJwt(third.token);
  const gateway = { iss: issuer, sub: 'gateway', sub_profile: 'service' };
  const planner = { iss: issuer, sub: 'planner', sub_profile: 'ai_agent', act: gateway };
  const payments = { iss: issuer, sub: 'payments', sub_profile: 'service', act: planner };
  assert.deepEqual({ sub, aud, scope, act }, { sub: USER, aud: BOOKS.resource, scope: PAY_INVOICE, act: payments });
  assert.deepEqual(
    [third.answer.issued_token_type, third.answer.token_type, third.answer.scope],
    [ACCESS_TOKEN_TYPE, 'Bearer', PAY_INVOICE],
  );
});

test('a token that comes out never outlives the one that went in', async (t) => {
  const { exchange, login } = await openProvider(t);
  const token = await login();
  const { token: next } = await exchange('gateway', { subject_token: token, audience: PLANNER.resource });
  assert.ok((decodeJwt(next).exp ?? Infinity) <= (decodeJwt(token).exp ?? 0));
});

test('scope may be narrowed and never widened', async (t) => {
  const { exchange, login } = await openProvider(t);
  const wide = await login([PAY_INVOICE, WRITE_PAYEE]);
  const ask = (subject_token: string, scope: string) =>
    exchange('gateway', { subject_token, audience: PLANNER.resource, scope });
  const narrowed = await ask(wide, PAY_INVOICE);
  assert.equal(decodeJwt(narrowed.token).scope, PAY_INVOICE);
  const widened = await ask(await login([PAY_INVOICE]), `${PAY_INVOICE} ${WRITE_PAYEE}`);
  assert.deepEqual([widened.status, widened.error], [400, 'invalid_scope']);
});

test('only a token for the requester’s own audience is taken, and only for an audience it may call', async (t) => {
  const { exchange, login } = await openProvider(t);
  const token = await login();
  const foreign = await exchange('planner', { subject_token: token, audience: PAYMENTS.resource });
  assert.deepEqual([foreign.status, foreign.error], [400, 'invalid_request']);
  const beyond = await exchange('gateway', { subject_token: token, audience: BOOKS.resource });
  assert.deepEqual([beyond.status, beyond.error], [400, 'invalid_target']);
});

test('a token of another key, an unsigned, a made-up and an expired token are refused, each for that reason', async (t) => {
  const { exchange, login } = await openProvider(t);
  const token = await login();
  const refusal = async (subject_token: string) => {
    const { status, error, answer } = await exchange('gateway', { subject_token, audience: PLANNER.resource });
    assert.deepEqual([status, error], [400, 'invalid_request']);
    return answer.error_description ?? '';
  };
  assert.match(await refusal(await resign(token)), /signature verification failed/);
  assert.match(await refusal(unsign(token)), /alg/);
  assert.match(await refusal('not a token'), /Invalid Compact JWS/);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 301_000 });
  assert.match(await refusal(token), /"exp" claim/);
});

/** The same claims under the same key id, signed by somebody else. */
async function resign(token: string): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256');
  const header = { ...decodeProtectedHeader(token), alg: 'ES256' };
  return new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(privateKey);
}

/** The same claims with `alg: none` (RFC 8725 section 2.1). */
function unsign(token: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ ...decodeProtectedHeader(token), alg: 'none' })}.${encode(decodeJwt(token))}.`;
}

test('a client that does not prove who it is gets nothing, and an app may not exchange', async (t) => {
  const { exchange, login } = await openProvider(t);
  const subject_token = await login();
  const wrong = await exchange('gateway', { subject_token, audience: PLANNER.resource, client_secret: 'guessed' });
  assert.deepEqual([wrong.status, wrong.error], [401, 'invalid_client']);
  const app = await exchange('gateway', {
    subject_token,
    audience: PLANNER.resource,
    client_id: 'invoice-app',
    client_secret: '',
  });
  assert.equal(app.status, 400);
});

test('what the grant does not do is refused, not ignored: other token types, actor tokens, two targets', async (t) => {
  const { exchange, login } = await openProvider(t);
  const subject_token = await login();
  const audience = PLANNER.resource;
  const refused: readonly [string, Readonly<Record<string, string>>][] = [
    ['invalid_request', { subject_token: '', audience }],
    ['invalid_request', { subject_token, audience, subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['invalid_request', { subject_token, audience, requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['invalid_request', { subject_token, audience, actor_token: 'x', actor_token_type: ACCESS_TOKEN_TYPE }],
    ['invalid_target', { subject_token }],
    ['invalid_target', { subject_token, audience, resource: BOOKS.resource }],
  ];
  for (const [expected, given] of refused) {
    const { status, error } = await exchange('gateway', given);
    assert.deepEqual([status, error], [400, expected], JSON.stringify(Object.keys(given)));
  }
});

test('once the user’s consent is withdrawn, its tokens are exchanged no more', async (t) => {
  const { provider, exchange, login } = await openProvider(t);
  const withdraw: (() => Promise<void>)[] = [];
  provider.on('grant.saved', (grant) => withdraw.push(() => grant.destroy()));
  const subject_token = await login();
  assert.equal((await exchange('gateway', { subject_token, audience: PLANNER.resource })).status, 200);
  for (const each of withdraw) await each();
  const after = await exchange('gateway', { subject_token, audience: PLANNER.resource });
  assert.deepEqual([after.status, after.error], [400, 'invalid_request']);
});

test('every exchange is told, granted and refused, and of a refused token only what was verified', async (t) => {
  const { seen, exchange, login } = await openProvider(t);
  const token = await login();
  const granted = await exchange('gateway', { subject_token: token, audience: PLANNER.resource });
  await exchange('planner', { subject_token: granted.token, audience: PAYMENTS.resource, scope: WRITE_PAYEE });
  await exchange('planner', { subject_token: 'not a token', audience: PAYMENTS.resource });
  const [first, second, third] = seen;
  assert.equal(seen.length, 3);
  assert.deepEqual([first?.tokenIn, first?.tokenOut, first?.decision], [token, granted.token, { outcome: 'permit' }]);
  assert.deepEqual(
    [second?.subject, second?.scopesHeld, second?.scopesRequested, second?.tokenOut, second?.decision.outcome],
    [USER, [PAY_INVOICE], [WRITE_PAYEE], undefined, 'deny'],
  );
  assert.match(second?.decision.outcome === 'deny' ? second.decision.reason : '', /^invalid_scope: /);
  assert.deepEqual([third?.subject, third?.scopesHeld, third?.decision.outcome], [undefined, undefined, 'deny']);
});
