import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type GuardOptions, startBehalf } from '@behalf/sdk';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { handmadeToken, tokenIssuer } from './token-issuer.ts';

const HOST = 'payments.example';
const DOMAIN = 'acme.example';
const PLANNER = `spiffe://${DOMAIN}/agent/planner`;
const seconds = () => Math.floor(Date.now() / 1000);
const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url');

/** A guarded service that accepts workloads, an issuer of their tokens, and one workload with its key. */
async function service(t: TestContext, guard: Partial<GuardOptions> = {}) {
  const authority = await tokenIssuer(t);
  const workload = { trustDomain: DOMAIN, jwksUri: authority.jwksUri };
  const made = await guardedService(t, { guard: { workload, ...guard } });
  made.app.get('/pay', async () => 'paid');
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), alg: 'ES256' };
  const wit = (claims: object = {}, header: object = {}) =>
    authority.sign(
      { iss: undefined, aud: undefined, scope: undefined, sub: PLANNER, cnf: { jwk }, ...claims },
      { typ: 'wit+jwt', ...header },
    );
  /** A proof for GET /pay; `claims` and `header` replace or, undefined, take away. */
  const wpt = (token: string, claims: object = {}, header: object = {}, key: CryptoKey = privateKey) =>
    new SignJWT({
      aud: `http://${HOST}/pay`,
      exp: seconds() + 60,
      jti: crypto.randomUUID(),
      wth: hashOf(token),
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'wpt+jwt', ...header })
      .sign(key);
  const ask = async (headers: Readonly<Record<string, string | string[] | undefined>>) => {
    const given = Object.fromEntries(Object.entries({ host: HOST, ...headers }).filter(([, value]) => value));
    const answer = await made.app.inject({ url: '/pay?x=1', headers: given as Record<string, string> });
    await made.behalf.flush();
    const seen = made.receiver.observations.at(-1) as HopObservation;
    return { code: answer.statusCode === 200 ? 'ok' : (answer.json().code as string), seen };
  };
  const both = (token: string, proof?: string | string[]) => ({
    'workload-identity-token': token,
    'workload-proof-token': proof,
  });
  return { ...made, authority, jwk, privateKey, wit, wpt, ask, both };
}

test('a workload with its proof is the authority alone, and who calls beside a token that its proof covers', async (t) => {
  const { ask, wit, wpt, both, issuer, receiver } = await service(t);
  const token = await wit();
  const alone = await ask(both(token, await wpt(token)));
  assert.deepEqual(
    [alone.code, alone.seen.authority?.profile, alone.seen.authority?.binding, alone.seen.subject],
    ['ok', 'wit', 'wpt', { type: 'service', id: PLANNER, basis: 'proof' }],
  );
  const access = await issuer.sign();
  const authorization = `Bearer ${access}`;
  const proof = await wpt(token, { ath: hashOf(access) });
  const beside = await ask({ ...both(token, proof), authorization });
  assert.deepEqual(
    [beside.code, beside.seen.subject?.id, beside.seen.peer, beside.seen.authority?.binding],
    ['ok', 'dana', { type: 'service', id: PLANNER, basis: 'proof' }, 'bearer'],
  );
  for (const secret of [token, proof, access]) {
    for (const body of receiver.bodies) assert.equal(Buffer.from(body).includes(secret), false, 'no token is sent');
  }
  assert.equal((await ask({ authorization })).code, 'ok', 'it may be left out');
  assert.equal((await ask({})).code, 'token_missing');
});

test('a Txn-Token is covered by its own hash, and further headers by theirs', async (t) => {
  const tts = await tokenIssuer(t);
  const { ask, wit, wpt, both } = await service(t, { txnToken: { trustDomain: DOMAIN, jwksUri: tts.jwksUri } });
  const txn = await tts.sign({ iss: undefined, aud: DOMAIN, txn: 't-1' }, { typ: 'txntoken+jwt' });
  const token = await wit();
  const headers = { 'txn-token': txn, 'x-order': 'o-1' };
  const ok = await wpt(token, { tth: hashOf(txn), oth: { 'x-order': hashOf('o-1') } });
  const { code, seen } = await ask({ ...headers, ...both(token, ok) });
  assert.deepEqual([code, seen.subject?.id, seen.peer?.id], ['ok', 'dana', PLANNER]);
  for (const claims of [
    {},
    { tth: hashOf('other') },
    { tth: hashOf(txn), ath: hashOf(txn) },
    { tth: hashOf(txn), oth: { 'x-order': hashOf('o-2') } },
    { tth: hashOf(txn), oth: { 'x-none': hashOf('o-1') } },
    { tth: hashOf(txn), oth: { 'x-none': undefined, 'x-order': null } },
    { tth: hashOf(txn), oth: [] },
    { tth: hashOf(txn), oth: 'x' },
  ]) {
    const answer = await ask({ ...headers, ...both(token, await wpt(token, claims)) });
    assert.equal(answer.code, 'workload_proof_invalid', JSON.stringify(claims));
  }
});

test('a proof is used once; without one, or with two, the token is nobody’s; each refusal is recorded', async (t) => {
  const { ask, wit, wpt, both } = await service(t);
  const token = await wit();
  const proof = await wpt(token);
  assert.equal((await ask(both(token, proof))).code, 'ok');
  for (const [expected, headers] of [
    ['workload_proof_replayed', both(token, proof)],
    ['workload_proof_missing', both(token)],
    ['workload_proof_invalid', both(token, [await wpt(token), await wpt(token)])],
    ['token_repeated', { ...both(token, await wpt(token)), 'workload-identity-token': [token, token] }],
  ] as const) {
    const { code, seen } = await ask(headers as Record<string, string>);
    assert.deepEqual(
      [code, seen.decision?.outcome, seen.decision?.reason, seen.authority?.verification, seen.subject?.basis],
      [
        expected,
        'deny',
        expected,
        { status: 'failed', reason: expected, keyId: 'key-1', by: 'payments' },
        'unverified',
      ],
    );
  }
});

test('every proof that is not for this place, this token and this key is refused', async (t) => {
  const { ask, wit, wpt, both, jwk, privateKey } = await service(t);
  const token = await wit();
  const { publicKey: theirs, privateKey: other } = await generateKeyPair('ES256');
  const { d } = await exportJWK(privateKey);
  const wrong: Record<string, string> = {
    'another path': await wpt(token, { aud: `http://${HOST}/other` }),
    'another host': await wpt(token, { aud: 'http://evil.example/pay' }),
    'another scheme': await wpt(token, { aud: `https://${HOST}/pay` }),
    'a place with its query': await wpt(token, { aud: `http://${HOST}/pay?x=1` }),
    'a list of places': await wpt(token, { aud: [`http://${HOST}/pay`] }),
    'a place that is none': await wpt(token, { aud: 'pay' }),
    expired: await wpt(token, { exp: seconds() - 60 }),
    'an end far ahead': await wpt(token, { exp: seconds() + 3600 }),
    'no end': await wpt(token, { exp: undefined }),
    'no id': await wpt(token, { jti: undefined }),
    'an endless id': await wpt(token, { jti: 'x'.repeat(300) }),
    'another token': await wpt(`${token}x`),
    'no token': await wpt(token, { wth: undefined }),
    'an access token that did not come': await wpt(token, { ath: hashOf('x') }),
    'another key': await wpt(token, {}, {}, other),
    'another type': await wpt(token, {}, { typ: 'jwt' }),
    'a key it brings along': await wpt(token, {}, { jwk: await exportJWK(theirs) }, other),
    'alg none': handmadeToken({ alg: 'none', typ: 'wpt+jwt' }, { aud: `http://${HOST}/pay` }),
    'no JWT': 'x',
    'too long': 'x'.repeat(16_400),
  };
  for (const [name, proof] of Object.entries(wrong)) {
    const { code } = await ask(both(token, proof));
    assert.equal(code, 'workload_proof_invalid', name);
  }
  for (const key of [
    { ...jwk, d },
    { ...jwk, alg: undefined },
    { ...jwk, alg: 'HS256' },
    { kty: 'oct', k: 'AAAA', alg: 'HS256' },
    { kty: 'XX', alg: 'ES256' },
    { ...jwk, alg: 'RS256' },
  ]) {
    const sent = await wit({ cnf: { jwk: key } });
    assert.equal((await ask(both(sent, await wpt(sent)))).code, 'workload_proof_invalid', JSON.stringify(key));
  }
});

test('a token of another trust domain, type, issuer or shape is refused whatever its proof', async (t) => {
  const { ask, wit, wpt, both, issuer, jwk } = await service(t);
  const ids = [
    'spiffe://evil.example/x',
    'wimse://acme.example.evil/x',
    `spiffe://${DOMAIN}/`,
    `spiffe://${DOMAIN}/../x`,
    'dana',
    `https://${DOMAIN}/x`,
  ];
  const wrong: [string, Promise<string>][] = [
    ...ids.map((sub): [string, Promise<string>] => ['wrong_issuer', wit({ sub })]),
    ['type_not_accepted', wit({}, { typ: 'at+jwt' })],
    ['expired', wit({ exp: seconds() - 60 })],
    ['claim_missing', wit({ exp: undefined })],
    ['claim_missing', wit({ cnf: undefined })],
    ['claim_malformed', wit({ cnf: { jkt: 'x' } })],
    ['signature_invalid', issuer.sign({ sub: PLANNER, cnf: { jwk } }, { typ: 'wit+jwt' })],
    ['algorithm_not_allowed', Promise.resolve(handmadeToken({ alg: 'none', typ: 'wit+jwt' }, { sub: PLANNER }))],
  ];
  for (const [expected, pending] of wrong) {
    const token = await pending;
    assert.equal((await ask(both(token, await wpt(token)))).code, expected);
    const authorization = `Bearer ${await issuer.sign()}`;
    const beside = await ask({ ...both(token, await wpt(token)), authorization });
    assert.deepEqual([beside.code, beside.seen.peer], [expected, undefined], 'each credential that comes must hold');
  }
  const wimse = await wit({ sub: `wimse://${DOMAIN}/planner`, iss: 'https://evil.example' });
  assert.equal((await ask(both(wimse, await wpt(wimse)))).code, 'ok', 'iss chooses no keys');
});

test('where workloads are not accepted their headers are not looked at, and wrong options are told at start', async (t) => {
  const { ask, both } = await service(t, { workload: undefined } as unknown as Partial<GuardOptions>);
  assert.equal((await ask(both('x', 'y'))).code, 'token_missing');
  const behalf = startBehalf({ service: 's', collectorUrl: 'http://127.0.0.1:1' });
  const start = (workload: object) => () => behalf.httpGuard({ workload } as GuardOptions);
  const full = { trustDomain: DOMAIN, jwksUri: 'https://a.example' };
  assert.throws(start({ ...full, trustDomain: 'Acme' }), /workload.trustDomain/);
  assert.throws(start({ ...full, jwksUri: 'http://a.example' }), /workload.jwksUri must be an https URL/);
  assert.throws(start({ ...full, origin: 'a.example' }), /workload.origin must be an origin/);
  assert.throws(start({ ...full, maxAgeSeconds: 601 }), /workload.maxAgeSeconds must be 1 to 600/);
  await behalf.shutdown({ timeoutMs: 1 });
});
