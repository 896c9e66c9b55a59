import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { test } from 'node:test';
import { tokenDigest } from '@behalf/sdk';
import { exportJWK, generateKeyPair } from 'jose';
import type { HopObservation } from '#observation';
import { type GuardedService, guardedService } from './guarded-service.ts';
import { handmadeToken, nestedAct, type TokenIssuer } from './token-issuer.ts';

interface Attack {
  readonly name: string;
  readonly token: (issuer: TokenIssuer) => Promise<string> | string;
  readonly status: number;
  readonly code: string;
  /** How the token is sent; as the one bearer token by default. */
  readonly headers?: (token: string) => [string, string][];
  readonly path?: (token: string) => string;
}

const seconds = () => Math.floor(Date.now() / 1000);
const claims = ({ issuer }: TokenIssuer) => ({
  iss: issuer,
  aud: 'https://payments.example',
  sub: 'dana',
  exp: seconds() + 300,
});
const invalid = (code: string, name: string, token: Attack['token']): Attack => ({ name, token, status: 401, code });

const hmacWithPublicKey = (issuer: TokenIssuer): string => {
  const unsigned = handmadeToken({ alg: 'HS256', typ: 'at+jwt', kid: 'key-1' }, claims(issuer)).slice(0, -1);
  return `${unsigned}.${createHmac('sha256', issuer.publicKeyPem).update(unsigned).digest('base64url')}`;
};

/** Signed with the attacker's own key, which the token brings along. */
const ownKey = async (issuer: TokenIssuer, header: (jwk: object) => object): Promise<string> => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return issuer.sign({}, { kid: 'mine', ...header(await exportJWK(publicKey)) }, privateKey);
};

/** Two actors that hand on to each other. */
const cyclicAct = (depth: number): object =>
  depth === 1 ? { sub: 'actor-0' } : { sub: `actor-${(depth + 1) % 2}`, act: cyclicAct(depth - 1) };

const ATTACKS: readonly Attack[] = [
  invalid('algorithm_not_allowed', 'alg none', (issuer) =>
    handmadeToken({ alg: 'none', typ: 'at+jwt' }, claims(issuer)),
  ),
  invalid('algorithm_not_allowed', 'alg nOnE', (issuer) => handmadeToken({ alg: 'nOnE' }, claims(issuer))),
  invalid('algorithm_not_allowed', 'no alg', (issuer) => handmadeToken({ typ: 'at+jwt' }, claims(issuer))),
  invalid('algorithm_not_allowed', 'HMAC keyed with the issuer’s public key', hmacWithPublicKey),
  invalid('wrong_audience', 'another audience', (issuer) => issuer.sign({ aud: 'https://books.example' })),
  invalid('wrong_audience', 'a longer audience', (issuer) => issuer.sign({ aud: 'https://payments.example.evil' })),
  invalid('claim_missing', 'no audience', (issuer) => issuer.sign({ aud: undefined })),
  invalid('wrong_issuer', 'another issuer', (issuer) => issuer.sign({ iss: 'https://evil.example' })),
  invalid('claim_missing', 'no subject', (issuer) => issuer.sign({ sub: undefined })),
  invalid('claim_missing', 'no expiry', (issuer) => issuer.sign({ exp: undefined })),
  invalid('claim_malformed', 'an expiry in words', (issuer) => issuer.sign({ exp: 'tomorrow' as never })),
  invalid('expired', 'expired beyond the tolerance', (issuer) => issuer.sign({ exp: seconds() - 60 })),
  invalid('not_yet_valid', 'not valid before the future', (issuer) => issuer.sign({ nbf: seconds() + 600 })),
  invalid('key_unknown', 'an unknown key id', (issuer) => issuer.sign({}, { kid: '../../etc/passwd' })),
  invalid('key_unknown', 'an embedded jwk', (issuer) => ownKey(issuer, (jwk) => ({ jwk }))),
  invalid('key_unknown', 'a jku of its own', (issuer) => ownKey(issuer, () => ({ jku: 'https://evil.example/keys' }))),
  invalid('key_unknown', 'an x5u of its own', (issuer) => ownKey(issuer, () => ({ x5u: 'https://evil.example/cert' }))),
  invalid('key_unknown', 'an x5c of its own', (issuer) => ownKey(issuer, () => ({ x5c: ['AAAA'] }))),
  invalid('signature_invalid', 'an embedded jwk under a known id', (issuer) =>
    ownKey(issuer, (jwk) => ({ jwk, kid: 'key-1' })),
  ),
  invalid('key_unknown', 'a key id that is a query', (issuer) => issuer.sign({}, { kid: "key-1' or '1'='1" })),
  invalid('key_unknown', 'a key id that is no text', (issuer) =>
    handmadeToken({ alg: 'ES256', typ: 'at+jwt', kid: { $ne: null } }, claims(issuer), 'AAAA'),
  ),
  invalid('act_too_deep', 'act nested 50 deep, a cycle of two', (issuer) => issuer.sign({ act: cyclicAct(50) })),
  invalid('signature_invalid', 'another key under a known id', async (issuer) =>
    issuer.sign({}, {}, (await generateKeyPair('ES256')).privateKey),
  ),
  invalid('signature_invalid', 'claims changed after signing', async (issuer) => {
    const [header, , signature] = (await issuer.sign()).split('.');
    const forged = Buffer.from(JSON.stringify({ ...claims(issuer), sub: 'admin' })).toString('base64url');
    return `${header}.${forged}.${signature}`;
  }),
  invalid('type_not_accepted', 'a token of another kind', (issuer) => issuer.sign({}, { typ: 'txntoken+jwt' })),
  invalid('extension_not_supported', 'a critical header nobody knows', (issuer) =>
    handmadeToken({ alg: 'ES256', kid: 'key-1', crit: ['x'], x: 1 }, claims(issuer), 'AAAA'),
  ),
  invalid('act_too_deep', 'act nested 50 deep', (issuer) => issuer.sign({ act: nestedAct(50) })),
  invalid('act_malformed', 'act is a string', (issuer) => issuer.sign({ act: 'planner' })),
  invalid('act_malformed', 'act is a list', (issuer) => issuer.sign({ act: [{ sub: 'planner' }] })),
  invalid('act_malformed', 'act is null', (issuer) => issuer.sign({ act: null })),
  invalid('act_malformed', 'act without a subject', (issuer) => issuer.sign({ act: { act: { sub: 'planner' } } })),
  invalid('act_malformed', 'act with a number for a subject', (issuer) => issuer.sign({ act: { sub: 7 } })),
  invalid('token_too_large', 'a token of 100 kB', (issuer) => issuer.sign({ padding: 'x'.repeat(75_000) })),
  invalid('token_malformed', 'two parts', () => 'aaaa.bbbb'),
  invalid('signature_invalid', 'claims that are a list', (issuer) =>
    handmadeToken({ alg: 'ES256' }, [issuer.issuer], 'AAAA'),
  ),
  invalid('token_malformed', 'not base64url', () => '%%%.%%%.%%%'),
  {
    name: 'two Authorization headers',
    token: (issuer) => issuer.sign(),
    headers: (token) => [
      ['authorization', `Bearer ${token}`],
      ['Authorization', 'Bearer other'],
    ],
    status: 400,
    code: 'token_repeated',
  },
  {
    name: 'a token in the query',
    token: (issuer) => issuer.sign(),
    headers: () => [],
    path: (token) => `/pay?access_token=${token}`,
    status: 400,
    code: 'token_in_query',
  },
  {
    name: 'Basic instead of Bearer',
    token: () => Buffer.from('dana:secret').toString('base64'),
    headers: (token) => [['authorization', `Basic ${token}`]],
    status: 401,
    code: 'scheme_unsupported',
  },
  {
    name: 'Bearer without a token',
    token: () => 'none-at-all',
    headers: () => [['authorization', 'Bearer ']],
    status: 401,
    code: 'token_malformed',
  },
];

for (const attack of ATTACKS) {
  test(`refused and recorded, never echoed: ${attack.name}`, async (t) => {
    const service = await guardedService(t, { fastify: { http: { maxHeaderSize: 262_144 } } });
    const { app, behalf, receiver, issuer } = service;
    let reached = false;
    app.get('/pay', async () => {
      reached = true;
      return 'paid';
    });
    const token = await attack.token(issuer);
    const answer = await send(service, attack, token);
    assert.deepEqual([answer.status, JSON.parse(answer.body).code], [attack.status, attack.code]);
    assert.equal(reached, false, 'the handler was not reached');
    assert.equal(answer.body.includes(token) || JSON.stringify(answer.headers).includes(token), false, 'no echo');
    await behalf.flush();
    assertRecorded(receiver.observations[0] as HopObservation, attack, token);
    for (const body of receiver.bodies) {
      assert.equal(Buffer.from(body).includes(token), false, 'the token is not in what was sent');
      const signature = token.split('.')[2] ?? '';
      assert.equal(signature !== '' && signature.length > 20 && Buffer.from(body).includes(signature), false);
    }
  });
}

function assertRecorded(seen: HopObservation, attack: Attack, token: string): void {
  assert.deepEqual(seen.decision, { outcome: 'deny', policy: 'behalf-guard/enforce', reason: attack.code });
  assert.deepEqual([seen.authority?.verification.status, seen.authority?.verification.reason], ['failed', attack.code]);
  assert.deepEqual(seen.outcome, { status: 'error', code: String(attack.status) });
  assert.equal(seen.operation, 'GET /pay');
  for (const party of [seen.subject, ...seen.actors]) assert.ok(party === undefined || party.basis === 'unverified');
  const isSent = attack.headers === undefined || attack.path !== undefined;
  assert.equal(seen.authority?.digest, isSent ? tokenDigest(token) : undefined);
}

/** Sends over a real socket, with headers exactly as given. */
async function send({ listen }: GuardedService, { headers, path }: Attack, token: string) {
  const url = new URL(path?.(token) ?? '/pay', await listen());
  const pairs = headers?.(token) ?? [['authorization', `Bearer ${token}`]];
  const answered = Promise.withResolvers<{ status: number | undefined; headers: unknown; body: string }>();
  request(url, { headers: ['host', url.host, ...pairs.flat()] }, (res) => {
    let body = '';
    res.setEncoding('utf8').on('data', (part) => {
      body += part;
    });
    res.on('end', () => answered.resolve({ status: res.statusCode, headers: res.headers, body }));
  })
    .on('error', answered.reject)
    .end();
  return answered.promise;
}

test('actors in a cycle are served, as who hands on may be handed back to, and flagged in what is recorded', async (t) => {
  const { app, behalf, receiver, issuer } = await guardedService(t);
  app.get('/pay', async () => 'paid');
  const authorization = `Bearer ${await issuer.sign({ act: cyclicAct(4) })}`;
  for (const _ of ['verified', 'remembered']) {
    assert.equal((await app.inject({ url: '/pay', headers: { authorization } })).statusCode, 200);
  }
  await behalf.flush();
  const seen = receiver.observations as readonly HopObservation[];
  assert.deepEqual(
    seen.map(({ actors, anomalies }) => [actors.map(({ id }) => id).join(), anomalies.map(({ code }) => code)]),
    Array(2).fill(['actor-0,actor-1,actor-0,actor-1', ['act_cycle']]),
  );
});

test('a token too old by less than the tolerance is accepted', async (t) => {
  const { app, issuer } = await guardedService(t, { guard: { clockToleranceSeconds: 60 } });
  app.get('/pay', async () => 'paid');
  const authorization = `Bearer ${await issuer.sign({ exp: seconds() - 30 })}`;
  assert.equal((await app.inject({ url: '/pay', headers: { authorization } })).statusCode, 200);
});

test('a key that the issuer publishes later is found after the cool-down only, so that unknown keys cannot flood the issuer', async (t) => {
  const { app, issuer } = await guardedService(t);
  app.get('/pay', async () => 'paid');
  for (const kid of ['a', 'b', 'c', 'd']) {
    const authorization = `Bearer ${await issuer.sign({}, { kid })}`;
    assert.equal((await app.inject({ url: '/pay', headers: { authorization } })).statusCode, 401);
  }
  assert.equal(issuer.fetched.get('/keys'), 1);
});
