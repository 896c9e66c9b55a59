import assert from 'node:assert/strict';
import { get, type RequestOptions } from 'node:https';
import { type TestContext, test } from 'node:test';
import type { GuardOptions } from '@behalf/sdk';
import type { HopObservation } from '#observation';
import { type CertificateAuthority, canIssue, certificateAuthority, type KeyPair } from './certificates.ts';
import { guardedService } from './guarded-service.ts';
import { AUDIENCE } from './token-issuer.ts';

const skip = (await canIssue()) ? false : 'openssl 3 is not here, which makes the certificates';
const GATEWAY = 'spiffe://acme.example/gateway';

/** A guarded service over TLS that asks for a certificate and takes a connection without one too. */
async function service(t: TestContext, ca: CertificateAuthority, peers: GuardOptions['peers']) {
  const { key, cert } = await ca.issue('IP:127.0.0.1');
  const https = { key, cert, ca: ca.cert, requestCert: true, rejectUnauthorized: false };
  const made = await guardedService(t, { guard: { ...(peers && { peers }) }, fastify: { https } as never });
  made.app.get('/', async () => 'ok');
  const url = await made.listen();
  let count = 0;
  /** What was recorded of the next request: the answer may be here before its observation is. */
  const served = async (): Promise<HopObservation> => {
    const seen = () => made.receiver.observations as readonly HopObservation[];
    while (seen().length <= count) {
      await new Promise((later) => setTimeout(later, 5));
      await made.behalf.flush();
    }
    count += 1;
    return seen()[count - 1] ?? assert.fail('not recorded');
  };
  const ask = async (own: KeyPair | undefined, headers: Readonly<Record<string, string>>) => {
    const code = await fetchOver(url, {
      ca: ca.cert,
      agent: false,
      headers,
      ...(own && { key: own.key, cert: own.cert }),
    });
    return { code, seen: await served() };
  };
  const bearer = async (claims: object = {}) => ({ authorization: `Bearer ${await made.issuer.sign({ ...claims })}` });
  return { ...made, url, ask, served, bearer };
}

const fetchOver = (url: string, options: RequestOptions): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, options, async (response) => {
      const body = (await response.setEncoding('utf8').toArray()).join('');
      resolve(response.statusCode === 200 ? body : JSON.parse(body).code);
    }).on('error', reject);
  });

test('the connection’s certificate is the peer, and the proof for a token bound to it', { skip }, async (t) => {
  const [ca, stranger] = [await certificateAuthority(t), await certificateAuthority(t)];
  const [own, other] = [await ca.issue(`URI:${GATEWAY}`), await ca.issue('URI:spiffe://acme.example/other')];
  const forged = await stranger.issue(`URI:${GATEWAY}`);
  const { ask, bearer } = await service(t, ca, { mtls: true });
  const bound = await bearer({ cnf: { 'x5t#S256': own.thumbprint } });
  const { code, seen } = await ask(own, bound);
  assert.deepEqual(
    [code, seen.peer, seen.authority?.binding, seen.subject?.basis],
    ['ok', { type: 'service', id: GATEWAY, basis: 'proof' }, 'mtls', 'proof'],
  );
  const plain = await ask(own, await bearer());
  assert.deepEqual([plain.code, plain.seen.peer?.id, plain.seen.authority?.binding], ['ok', GATEWAY, 'bearer']);
  const stolen = await ask(other, bound);
  assert.deepEqual(
    [stolen.code, stolen.seen.peer?.id, stolen.seen.decision?.reason, stolen.seen.authority?.verification.status],
    ['proof_missing', 'spiffe://acme.example/other', 'proof_missing', 'failed'],
  );
  for (const none of [undefined, forged]) {
    const unproven = await ask(none, bound);
    assert.deepEqual([unproven.code, unproven.seen.peer], ['proof_missing', undefined]);
    assert.equal(
      (await ask(none, await bearer())).seen.peer,
      undefined,
      'a certificate nobody vouches for names nobody',
    );
  }
});

test('x-forwarded-client-cert from a trusted proxy stands for its client; from anyone else the connection’s own certificate does', {
  skip,
}, async (t) => {
  const ca = await certificateAuthority(t);
  const proxy = await ca.issue('URI:spiffe://acme.example/proxy');
  const behind = await ca.issue(`URI:${GATEWAY}`);
  const hash = Buffer.from(behind.thumbprint, 'base64url').toString('hex');
  const forwarded = { 'x-forwarded-client-cert': `Hash=${hash};URI=${GATEWAY}` };
  const bound = (thumbprint: string) => ({ cnf: { 'x5t#S256': thumbprint } });
  const trusting = await service(t, ca, { mtls: true, xfccFrom: ['127.0.0.1'] });
  const told = await trusting.ask(proxy, { ...(await trusting.bearer(bound(behind.thumbprint))), ...forwarded });
  assert.deepEqual([told.code, told.seen.peer], ['ok', { type: 'service', id: GATEWAY, basis: 'header' }]);
  const own = await trusting.ask(proxy, { ...(await trusting.bearer(bound(proxy.thumbprint))), ...forwarded });
  assert.equal(own.code, 'proof_missing', 'the proxy is not whom it forwards');
  const distrusting = await service(t, ca, { mtls: true, xfccFrom: ['10.0.0.0/8'] });
  const spoofed = await distrusting.ask(proxy, {
    ...(await distrusting.bearer(bound(behind.thumbprint))),
    ...forwarded,
  });
  assert.deepEqual(
    [spoofed.code, spoofed.seen.peer?.id, spoofed.seen.anomalies.map(({ code }) => code)],
    ['proof_missing', 'spiffe://acme.example/proxy', ['peer_header_ignored']],
  );
});

test('a call over node:https is recorded and carries the token to its origin', { skip }, async (t) => {
  const ca = await certificateAuthority(t);
  const callee = await service(t, ca, { mtls: true });
  const own = await ca.issue(`URI:${GATEWAY}`);
  const token = await callee.issuer.sign();
  const { behalf, receiver } = await guardedService(t, {
    options: { automatic: true, token, audiences: { [callee.url]: AUDIENCE } },
  });
  assert.equal(await fetchOver(callee.url, { ca: ca.cert, agent: false, key: own.key, cert: own.cert }), 'ok');
  await behalf.flush();
  const [call] = receiver.observations as readonly HopObservation[];
  const served = await callee.served();
  assert.deepEqual([call?.side, served?.side, served?.peer?.id], ['caller', 'callee', GATEWAY]);
  assert.equal(call?.authority?.digest, served?.authority?.digest);
  assert.deepEqual([served?.trace?.traceId, served?.trace?.parentSpanId], [call?.trace?.traceId, call?.trace?.spanId]);
});
