import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { HopObservation } from '#observation';
import { ReplayCache } from '../../src/sdk/replay-cache.ts';
import { guardedService } from './guarded-service.ts';

const HOST = 'payments.example';

interface Holder {
  readonly jwk: JWK;
  readonly jkt: string;
  readonly key: CryptoKey;
}

async function holder(): Promise<Holder> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { jwk, jkt: await calculateJwkThumbprint(jwk), key: privateKey };
}

/** A proof (RFC 9449 section 4.2) for GET /pay; `claims` and `header` replace or, undefined, take away. */
const proofOf = ({ jwk, key }: Holder, token: string, claims: object = {}, header: object = {}): Promise<string> =>
  new SignJWT({
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: `http://${HOST}/pay`,
    iat: Math.floor(Date.now() / 1000),
    ath: createHash('sha256').update(token).digest('base64url'),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(key);

async function service(t: TestContext, dpop: true | { origin: string } | 'off' = true) {
  const made = await guardedService(t, { guard: { ...(dpop !== 'off' && { dpop }) } });
  made.app.get('/pay', async () => 'paid');
  const mine = await holder();
  const token = await made.issuer.sign({ cnf: { jkt: mine.jkt } });
  const ask = async (proof: string | readonly string[] | undefined, scheme = 'DPoP', sent = token) => {
    const headers = {
      host: HOST,
      authorization: `${scheme} ${sent}`,
      ...(proof !== undefined && { dpop: proof as string }),
    };
    const answer = await made.app.inject({ url: '/pay?x=1', headers });
    return answer.statusCode === 200 ? answer.payload : answer.json().code;
  };
  return { ...made, mine, token, ask };
}

test('a bound token with its proof is served, and both are recorded as proof', async (t) => {
  const { ask, mine, token, behalf, receiver } = await service(t);
  assert.equal(await ask(await proofOf(mine, token)), 'paid');
  await behalf.flush();
  const [seen] = receiver.observations as readonly HopObservation[];
  assert.deepEqual([seen?.authority?.binding, seen?.subject?.basis], ['dpop', 'proof']);
});

test('a proof is used once, and who uses it again is recorded as not known', async (t) => {
  const { ask, mine, token, behalf, receiver } = await service(t);
  const proof = await proofOf(mine, token);
  assert.equal(await ask(proof), 'paid');
  assert.equal(await ask(proof), 'proof_replayed');
  await behalf.flush();
  const [, replayed] = receiver.observations as readonly HopObservation[];
  assert.deepEqual(
    [replayed?.decision?.reason, replayed?.authority?.verification.status, replayed?.subject?.basis],
    ['proof_replayed', 'failed', 'unverified'],
  );
});

test('a bound token is no bearer token, whether DPoP is accepted or not', async (t) => {
  for (const dpop of [true, 'off'] as const) {
    const { ask } = await service(t, dpop);
    assert.equal(await ask(undefined, 'Bearer'), 'proof_missing');
  }
  assert.equal(await (await service(t, 'off')).ask(undefined), 'scheme_unsupported');
});

test('every proof that is not for this call, this token and this key is refused', async (t) => {
  const { ask, mine, token, issuer, app } = await service(t);
  const now = Math.floor(Date.now() / 1000);
  const other = await holder();
  const { d: _, ...privateJwk } = await exportJWK(mine.key);
  const wrong: Record<string, string | undefined | readonly string[]> = {
    'another method': await proofOf(mine, token, { htm: 'POST' }),
    'another path': await proofOf(mine, token, { htu: `http://${HOST}/other` }),
    'another host': await proofOf(mine, token, { htu: 'http://evil.example/pay' }),
    'another scheme': await proofOf(mine, token, { htu: `https://${HOST}/pay` }),
    'a place that is none': await proofOf(mine, token, { htu: 'pay' }),
    'too old': await proofOf(mine, token, { iat: now - 120 }),
    'too far ahead': await proofOf(mine, token, { iat: now + 120 }),
    'without a time': await proofOf(mine, token, { iat: undefined }),
    'for another token': await proofOf(mine, `${token}x`),
    'without the token’s hash': await proofOf(mine, token, { ath: undefined }),
    'without an id': await proofOf(mine, token, { jti: undefined }),
    'an endless id': await proofOf(mine, token, { jti: 'x'.repeat(300) }),
    'another key': await proofOf(other, token),
    'the right key named, another signed': await proofOf({ ...mine, key: other.key }, token),
    'another type': await proofOf(mine, token, {}, { typ: 'jwt' }),
    'without a key': await proofOf(mine, token, {}, { jwk: undefined }),
    'a private key shown': await proofOf(mine, token, {}, { jwk: { ...privateJwk, d: 'AAAA' } }),
    'a key of a kind that is none': await proofOf(mine, token, {}, { jwk: { kty: 'XX' } }),
    'no JWT': 'x',
    'two proofs': [await proofOf(mine, token), await proofOf(mine, token)],
  };
  for (const [name, proof] of Object.entries(wrong)) assert.equal(await ask(proof), 'proof_invalid', name);
  assert.equal(await ask(undefined), 'proof_missing');
  const unbound = await issuer.sign();
  assert.equal(await ask(await proofOf(mine, unbound), 'DPoP', unbound), 'proof_invalid', 'a token that names no key');
  const answer = await app.inject({
    url: '/pay',
    headers: { host: HOST, authorization: `DPoP ${token}`, dpop: 'x' },
  });
  assert.match(String(answer.headers['www-authenticate']), /^DPoP error="invalid_dpop_proof"/);
});

test('behind a proxy the origin is what the service is told', async (t) => {
  const { ask, mine, token } = await service(t, { origin: 'https://public.example' });
  assert.equal(await ask(await proofOf(mine, token, { htu: 'https://public.example/pay' })), 'paid');
  assert.equal(await ask(await proofOf(mine, token)), 'proof_invalid');
});

test('a replay cache forgets after its window, never before, and says when it is full', () => {
  const cache = new ReplayCache(1000);
  assert.equal(cache.add('a', 10_000), 'new');
  for (const now of [10_000, 10_999, 11_000]) assert.equal(cache.add('a', now), 'seen');
  assert.equal(cache.add('a', 13_500), 'new');
  for (let index = 0; index < 99_999; index += 1) assert.equal(cache.add(`id-${index}`, 13_500), 'new');
  assert.deepEqual([cache.add('one more', 13_500), cache.add('a', 13_500)], ['full', 'seen']);
  assert.equal(cache.add('one more', 14_600), 'new');
});
