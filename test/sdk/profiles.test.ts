import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type EdgeOptions, type GuardOptions, startBehalf, tokenDigest } from '@behalf/sdk';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { AUDIENCE, handmadeToken, tokenIssuer } from './token-issuer.ts';

const seconds = () => Math.floor(Date.now() / 1000);
const DOMAIN = 'acme.example';

/** A guarded service; `ask` gives the code of a refusal or `ok`, and what was recorded. */
async function service(t: TestContext, guard: Partial<GuardOptions>) {
  const made = await guardedService(t, { guard, options: { assume: { subject: 'user' } } });
  made.app.get('/', async () => 'ok');
  const ask = async (headers: Record<string, string | string[]>) => {
    const answer = await made.app.inject({ url: '/', headers: headers as Record<string, string> });
    await made.behalf.flush();
    const seen = made.receiver.observations.at(-1) as HopObservation;
    return { code: answer.statusCode === 200 ? 'ok' : (answer.json().code as string), seen };
  };
  return { ...made, ask };
}

const keysOf = (t: TestContext) => tokenIssuer(t);

test('a Txn-Token is the authority: its subject stands in the trust domain, its workloads acted', async (t) => {
  const tts = await keysOf(t);
  const { ask, issuer } = await service(t, { txnToken: { trustDomain: DOMAIN, jwksUri: tts.jwksUri } });
  const claims = {
    iss: undefined,
    aud: DOMAIN,
    txn: 'txn-1',
    req_wl: ['spiffe://acme.example/edge', 'spiffe://acme.example/pay'],
  };
  const typ = { typ: 'txntoken+jwt' };
  const token = await tts.sign(claims, typ);
  const { code, seen } = await ask({ 'txn-token': token });
  assert.equal(code, 'ok');
  assert.deepEqual(
    [seen.authority?.profile, seen.authority?.transaction, seen.authority?.digest],
    ['txn-token', 'txn-1', tokenDigest(token)],
  );
  assert.deepEqual(seen.subject, { type: 'user', issuer: DOMAIN, id: 'dana', basis: 'token' });
  assert.deepEqual(
    seen.actors.map(({ id, type }) => [id, type]),
    claims.req_wl.map((id) => [id, 'service']),
  );
  const beside = await ask({ 'txn-token': token, authorization: `Bearer ${await issuer.sign({ sub: 'gateway' })}` });
  assert.deepEqual([beside.code, beside.seen.subject?.id], ['ok', 'dana']);
  const wrong: [string, Promise<string>][] = [
    ['type_not_accepted', tts.sign(claims)],
    ['wrong_audience', tts.sign({ ...claims, aud: 'evil.example' }, typ)],
    ['claim_missing', tts.sign({ ...claims, txn: undefined }, typ)],
    ['expired', tts.sign({ ...claims, exp: seconds() - 60 }, typ)],
    ['signature_invalid', issuer.sign(claims, typ)],
  ];
  for (const [expected, sent] of wrong) assert.equal((await ask({ 'txn-token': await sent })).code, expected);
  const bad = await ask({ 'txn-token': token, authorization: 'Bearer x.y.z' });
  assert.equal(bad.code, 'token_malformed', 'each credential that comes must hold');
  assert.equal((await ask({ 'txn-token': [token, token] })).code, 'token_repeated');
  assert.equal((await ask({})).code, 'token_missing');
});

test('a Txn-Token that is not accepted is not looked at', async (t) => {
  const { ask } = await service(t, {});
  assert.equal((await ask({ 'txn-token': 'x' })).code, 'token_missing');
});

test('a JWT-SVID is a workload of its trust domain, and the peer beside a Txn-Token', async (t) => {
  const [bundle, tts] = [await keysOf(t), await keysOf(t)];
  const { ask, issuer } = await service(t, {
    jwtSvid: { trustDomain: DOMAIN, jwksUri: bundle.jwksUri },
    txnToken: { trustDomain: DOMAIN, jwksUri: tts.jwksUri },
  });
  const svid = (claims: object = {}, header: object = {}) =>
    bundle.sign(
      { iss: undefined, scope: undefined, sub: 'spiffe://acme.example/gateway', ...claims },
      { typ: 'JWT', ...header },
    );
  const bearer = async (token: Promise<string>) => ({ authorization: `Bearer ${await token}` });
  const alone = await ask(await bearer(svid()));
  assert.deepEqual(
    [alone.code, alone.seen.authority?.profile, alone.seen.subject],
    ['ok', 'jwt-svid', { type: 'service', id: 'spiffe://acme.example/gateway', basis: 'token' }],
  );
  const txn = await tts.sign({ iss: undefined, aud: DOMAIN, txn: 'txn-1' }, { typ: 'txntoken+jwt' });
  const both = await ask({ ...(await bearer(svid())), 'txn-token': txn });
  assert.deepEqual(
    [both.code, both.seen.subject?.id, both.seen.peer?.id],
    ['ok', 'dana', 'spiffe://acme.example/gateway'],
  );
  for (const sub of [
    'spiffe://evil.example/gateway',
    'spiffe://acme.example.evil/x',
    'spiffe://acme.example/../x',
    'spiffe://acme.example/',
    'spiffe://acme.example/a//b',
    'spiffe://acme.example/a%2fb',
  ])
    assert.equal((await ask(await bearer(svid({ sub })))).code, 'wrong_issuer', sub);
  assert.equal((await ask(await bearer(svid({ aud: 'other' })))).code, 'wrong_audience');
  assert.equal((await ask(await bearer(svid({ exp: undefined })))).code, 'claim_missing');
  assert.equal((await ask(await bearer(svid({}, { typ: 'at+jwt' })))).code, 'type_not_accepted');
  assert.equal(
    (await ask(await bearer(issuer.sign({ sub: 'spiffe://acme.example/x', iss: undefined }, { typ: 'JWT' })))).code,
    'signature_invalid',
  );
  assert.equal((await ask(await bearer(issuer.sign()))).code, 'ok', 'access tokens are accepted as before');
});

for (const { kind, header, options, claims, alg } of [
  {
    kind: 'pomerium',
    header: 'x-pomerium-jwt-assertion',
    options: { issuer: 'pay.acme.example', audience: 'pay.acme.example' },
    claims: { iss: 'pay.acme.example', aud: 'pay.acme.example' },
    alg: 'ES256',
  },
  {
    kind: 'iap',
    header: 'x-goog-iap-jwt-assertion',
    options: { audience: '/projects/1/global/backendServices/2' },
    claims: { iss: 'https://cloud.google.com/iap', aud: '/projects/1/global/backendServices/2' },
    alg: 'ES256',
  },
  {
    kind: 'cloudflare',
    header: 'cf-access-jwt-assertion',
    options: { issuer: 'https://acme.cloudflareaccess.com', audience: 'tag' },
    claims: { iss: 'https://acme.cloudflareaccess.com', aud: ['tag'], type: 'app' },
    alg: 'RS256',
  },
]) {
  test(`${kind}: what the edge signs is known as an assertion; anything else in its header is refused`, async (t) => {
    const edge = await edgeKeys(t, alg);
    const { ask, issuer } = await service(t, {
      edge: { kind, ...options, jwksUri: edge.jwksUri } as unknown as EdgeOptions,
    });
    const good = { sub: 'dana', iat: seconds(), exp: seconds() + 60, ...claims };
    const { code, seen } = await ask({ [header]: await edge.sign(good) });
    assert.deepEqual(
      [code, seen.authority?.profile, seen.subject?.basis, seen.subject?.id],
      ['ok', `edge-${kind}`, 'assertion', 'dana'],
    );
    const wrong: [string, object][] = [
      ['wrong_audience', { ...good, aud: 'other' }],
      ['wrong_issuer', { ...good, iss: 'https://evil.example' }],
      ['expired', { ...good, exp: seconds() - 60 }],
      ['claim_missing', { ...good, exp: undefined }],
    ];
    for (const [expected, sent] of wrong) {
      const { code: told, seen: recorded } = await ask({ [header]: await edge.sign(sent) });
      assert.deepEqual(
        [told, recorded.decision?.reason, recorded.authority?.verification.status, recorded.subject?.basis],
        [expected, expected, 'failed', 'unverified'],
      );
    }
    for (const weak of ['none', 'HS256']) {
      assert.equal((await ask({ [header]: handmadeToken({ alg: weak }, good) })).code, 'algorithm_not_allowed');
    }
    const unsigned = {
      'x-pomerium-claim-email': 'a',
      'x-goog-authenticated-user-email': 'a',
      'x-amzn-oidc-identity': 'a',
    };
    const copies = await ask({ ...unsigned, 'cf-access-authenticated-user-email': 'a' });
    assert.deepEqual(
      [copies.code, copies.seen.subject],
      ['token_missing', undefined],
      'unsigned copies are no evidence',
    );
    assert.equal((await ask({ [header]: [await edge.sign(good), await edge.sign(good)] })).code, 'token_repeated');
    assert.equal((await ask({ [header]: await (await edgeKeys(t, alg)).sign(good) })).code, 'signature_invalid');
    assert.equal((await ask({ [header]: 'forged' })).code, 'token_malformed');
    const both = await ask({
      [header]: await edge.sign(good),
      authorization: `Bearer ${await issuer.sign({ sub: 'erin' })}`,
    });
    assert.deepEqual([both.code, both.seen.subject?.id], ['ok', 'erin'], 'a bearer token beside it is the authority');
  });
}

test('a Cloudflare service token is a service', async (t) => {
  const edge = await edgeKeys(t, 'RS256');
  const issuer = 'https://acme.cloudflareaccess.com';
  const { ask } = await service(t, { edge: { kind: 'cloudflare', issuer, audience: 'tag', jwksUri: edge.jwksUri } });
  const token = await edge.sign({
    iss: issuer,
    aud: ['tag'],
    sub: '',
    common_name: 'ci.access',
    iat: seconds(),
    exp: seconds() + 60,
  });
  const { seen } = await ask({ 'cf-access-jwt-assertion': token });
  assert.deepEqual([seen.subject?.type, seen.subject?.id], ['service', 'ci.access']);
});

test('an ALB’s data is checked by its own rules: padded base64, claims in the header, a key file', async (t) => {
  const signer = 'arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/a/b';
  const issuer = 'https://id.example';
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    if (req.url !== '/key-1') res.writeHead(404);
    res.end(req.url === '/key-1' ? publicKey.export({ type: 'spki', format: 'pem' }) : '');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const keysUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { ask } = await service(t, { edge: { kind: 'alb', issuer, signer, keysUrl } });
  const padded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64');
  const data = (header: object = {}, claims: object = {}) => {
    const head = {
      typ: 'JWT',
      kid: 'key-1',
      alg: 'ES256',
      iss: issuer,
      client: 'c',
      signer,
      exp: seconds() + 60,
      ...header,
    };
    const signed = `${padded(head)}.${padded({ sub: 'dana', iss: issuer, exp: seconds() + 60, ...claims })}`;
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64')}`;
  };
  const header = 'x-amzn-oidc-data';
  const token = data();
  const { code, seen } = await ask({ [header]: token });
  assert.deepEqual(
    [code, seen.authority?.profile, seen.authority?.digest, seen.subject?.id, seen.subject?.basis],
    ['ok', 'edge-alb', createHash('sha256').update(token).digest('hex'), 'dana', 'assertion'],
  );
  const wrong: [string, string][] = [
    ['wrong_audience', data({ signer: signer.replace('/a/b', '/evil/b') })],
    ['wrong_issuer', data({ iss: 'https://evil.example' })],
    ['expired', data({ exp: seconds() - 60 })],
    ['algorithm_not_allowed', data({ alg: 'none' })],
    ['key_unknown', data({ kid: 'key-2' })],
    ['key_unknown', data({ kid: '../../etc/passwd' })],
    ['signature_invalid', `${token.slice(0, -8)}AAAAAA==`],
    ['token_malformed', 'x'],
  ];
  for (const [expected, sent] of wrong) assert.equal((await ask({ [header]: sent })).code, expected);
  assert.deepEqual(asked, ['/key-1', '/key-2']);
});

test('x-forwarded-client-cert counts from trusted proxies only, and its hash is the proof a bound token needs', async (t) => {
  const hash = 'ab'.repeat(32);
  const xfcc = `By=spiffe://a/old;Hash=${'cd'.repeat(32)};URI=spiffe://a/old,By=spiffe://a/me;Hash=${hash};Subject="CN=x,O=\\"y\\"";URI=spiffe://a/gateway`;
  const x5t = Buffer.from(hash, 'hex').toString('base64url');
  const trusting = await service(t, { peers: { xfccFrom: ['127.0.0.0/8'] } });
  const bound = { authorization: `Bearer ${await trusting.issuer.sign({ cnf: { 'x5t#S256': x5t } })}` };
  const { code, seen } = await trusting.ask({ ...bound, 'x-forwarded-client-cert': xfcc });
  assert.deepEqual(
    [code, seen.peer, seen.authority?.binding],
    ['ok', { type: 'service', id: 'spiffe://a/gateway', basis: 'header' }, 'mtls'],
  );
  assert.equal((await trusting.ask(bound)).code, 'proof_missing');
  assert.equal(
    (await trusting.ask({ ...bound, 'x-forwarded-client-cert': `Hash=${'00'.repeat(32)}` })).code,
    'proof_missing',
  );
  for (const peers of [{ xfccFrom: ['10.0.0.0/8'] }, { mtls: true }, undefined]) {
    const distrusting = await service(t, { ...(peers && { peers }) });
    const headers = { authorization: `Bearer ${await distrusting.issuer.sign()}`, 'x-forwarded-client-cert': xfcc };
    const { code: ignored, seen: alone } = await distrusting.ask(headers);
    assert.deepEqual([ignored, alone.peer], ['ok', undefined]);
    if (peers !== undefined)
      assert.deepEqual(
        alone.anomalies.map((each) => each.code),
        ['peer_header_ignored'],
      );
  }
});

test('options that contradict themselves are one clear error at start', async () => {
  const behalf = startBehalf({ service: 's', collectorUrl: 'http://127.0.0.1:1' });
  const start = (options: object) => () => behalf.httpGuard(options as GuardOptions);
  assert.throws(start({}), /issuer is missing/);
  assert.throws(start({ issuer: 'https://a.example' }), /audience is missing/);
  assert.throws(start({ jwtSvid: { trustDomain: 'Acme', jwksUri: 'https://a.example' } }), /jwtSvid.trustDomain/);
  assert.throws(start({ jwtSvid: { trustDomain: 'a', jwksUri: 'https://a.example' } }), /jwtSvid.audience is missing/);
  assert.throws(
    start({ txnToken: { trustDomain: 'a', jwksUri: 'http://a.example' } }),
    /txnToken.jwksUri must be an https URL/,
  );
  assert.throws(start({ edge: { kind: 'nginx' } }), /edge.kind must be/);
  assert.throws(start({ edge: { kind: 'alb', issuer: 'x', signer: 'me' } }), /edge.signer must be the ARN/);
  const full = { issuer: 'https://a.example', audience: AUDIENCE };
  assert.throws(start({ ...full, dpop: { origin: 'a.example' } }), /dpop.origin must be an origin/);
  assert.throws(start({ ...full, dpop: { maxAgeSeconds: 0 } }), /dpop.maxAgeSeconds must be 1 to 600/);
  assert.throws(start({ ...full, peers: { xfccFrom: ['10.0.0.0/33'] } }), /xfccFrom: 10.0.0.0\/33 is no address/);
  await behalf.shutdown({ timeoutMs: 1 });
});

async function edgeKeys(t: TestContext, alg: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk = { ...(await exportJWK(publicKey)), kid: 'edge', alg };
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const sign = (claims: object) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg, kid: 'edge', typ: 'JWT' }).sign(privateKey);
  return { jwksUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, sign };
}
