import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { tokenDigest } from '@behalf/sdk';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { otlpReceiver } from './otlp-receiver.ts';
import { AUDIENCE, tokenIssuer } from './token-issuer.ts';

/** A service on loopback that remembers the headers it got. */
async function callee(t: TestContext, answer = 200) {
  const got: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    got.push(req.headers);
    if (answer === 302 && req.url !== '/there') res.setHeader('location', '/there');
    res.writeHead(answer === 302 && req.url === '/there' ? 200 : answer).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { got, url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}` };
}

const callers = (observations: readonly unknown[]) =>
  (observations as readonly HopObservation[]).filter(({ side }) => side === 'caller');

test('plain fetch carries the delegation to configured origins, and both sides of it are one trace', async (t) => {
  const other = await callee(t);
  const { app, behalf, issuer, receiver } = await guardedService(t, {
    options: { automatic: true, audiences: { [other.url]: AUDIENCE } },
  });
  app.post('/', async () => (await fetch(`${other.url}/entries?x=1`, { headers: { 'x-mine': 'kept' } })).status);
  const token = await issuer.sign();
  await app.inject({ method: 'POST', url: '/', headers: { authorization: `Bearer ${token}` } });
  await behalf.flush();
  const [call, ...more] = callers(receiver.observations);
  assert.equal(more.length, 0, 'neither the SDK’s own calls nor anything else is recorded');
  assert.deepEqual([other.got[0]?.authorization, other.got[0]?.['x-mine']], [`Bearer ${token}`, 'kept']);
  assert.match(String(other.got[0]?.traceparent), new RegExp(`^00-${call?.trace?.traceId}-${call?.trace?.spanId}-`));
  const served = (receiver.observations as readonly HopObservation[]).find(({ side }) => side === 'callee');
  assert.deepEqual(call?.cause, { traceId: served?.trace?.traceId, spanId: served?.trace?.spanId });
  assert.deepEqual(
    [call?.authority?.digest, call?.operation, call?.transport.peerAddress, call?.outcome],
    [tokenDigest(token), `GET ${other.host}`, other.host, { status: 'ok', code: '200' }],
  );
});

test('towards any other origin identity is taken out, whoever put it there', async (t) => {
  const other = await callee(t);
  const { app, behalf, issuer, receiver } = await guardedService(t, { options: { automatic: true } });
  const token = await issuer.sign();
  app.post('/', async () => {
    const headers = {
      authorization: `Bearer ${token}`,
      baggage: 'user=dana',
      'x-forwarded-token': token,
      cookie: 'own=1',
    };
    return (await fetch(other.url, { headers })).status;
  });
  await app.inject({ method: 'POST', url: '/', headers: { authorization: `Bearer ${token}` } });
  const [{ authorization, baggage, cookie, ...rest } = assert.fail('not called')] = other.got;
  assert.deepEqual(
    [authorization, baggage, rest['x-forwarded-token'], cookie],
    [undefined, undefined, undefined, 'own=1'],
  );
  await behalf.flush();
  const [call] = callers(receiver.observations);
  assert.deepEqual(
    call?.anomalies.map(({ code }) => code),
    Array(3).fill('identity_withheld'),
  );
  assert.equal(call?.absent.subject, 'not_disclosed');
});

test('a failed call, a refused one and each step of a redirect are recorded; behalf.fetch is not recorded twice', async (t) => {
  const [refusing, redirecting] = [await callee(t, 403), await callee(t, 302)];
  const { behalf, receiver } = await guardedService(t, { options: { automatic: true } });
  const gone = createServer();
  await new Promise<void>((listening) => gone.listen(0, '127.0.0.1', listening));
  const { port } = gone.address() as AddressInfo;
  await new Promise((closed) => gone.close(closed));
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  await fetch(refusing.url);
  await fetch(redirecting.url);
  await behalf.fetch(refusing.url);
  await behalf.flush();
  assert.deepEqual(
    callers(receiver.observations).map(({ outcome }) => outcome?.code),
    ['ECONNREFUSED', '403', '302', '200', '403'],
  );
});

test('after shutdown calls are left alone', async (t) => {
  const other = await callee(t);
  const { behalf } = await guardedService(t, { options: { automatic: true } });
  await behalf.shutdown();
  await fetch(other.url);
  assert.equal(other.got[0]?.traceparent, undefined);
});

test('a Txn-Token goes on unchanged in its own header, an edge’s assertion nowhere', async (t) => {
  const [tts, other] = [await tokenIssuer(t), await callee(t)];
  const { app, behalf, receiver } = await guardedService(t, {
    options: { audiences: { [other.url]: true } },
    guard: {
      txnToken: { trustDomain: 'acme', jwksUri: tts.jwksUri },
      edge: { kind: 'pomerium', issuer: 'edge', audience: 'me', jwksUri: tts.jwksUri },
    },
  });
  app.post('/', async () => (await behalf.fetch(other.url)).status);
  const txn = await tts.sign({ iss: undefined, aud: 'acme', txn: 't' }, { typ: 'txntoken+jwt' });
  const assertion = await tts.sign({ iss: 'edge', aud: 'me' }, { typ: 'JWT' });
  await app.inject({ method: 'POST', url: '/', headers: { 'txn-token': txn } });
  await app.inject({ method: 'POST', url: '/', headers: { 'x-pomerium-jwt-assertion': assertion } });
  assert.deepEqual(
    other.got.map((headers) => [headers['txn-token'], headers.authorization, headers['x-pomerium-jwt-assertion']]),
    [
      [txn, undefined, undefined],
      [undefined, undefined, undefined],
    ],
  );
  await behalf.flush();
  assert.deepEqual(
    callers(receiver.observations).map(({ authority }) => authority?.digest),
    [tokenDigest(txn), undefined],
  );
});

const node = (env: Record<string, string>, program: string) =>
  promisify(execFile)(
    process.execPath,
    ['--conditions=behalf-source', '--import', '@behalf/sdk/register', '--input-type=module', '-e', program],
    { cwd: join(import.meta.dirname, '..', '..'), env: { PATH: process.env.PATH, ...env }, timeout: 30_000 },
  );

test('node --import @behalf/sdk/register records a program’s fetch with environment variables alone, and delivers at its end', async (t) => {
  const [other, receiver] = [await callee(t), await otlpReceiver(t)];
  const env = { BEHALF_SERVICE: 'job', BEHALF_COLLECTOR_URL: receiver.url, BEHALF_ENVIRONMENT: 'test' };
  await node(env, `await fetch('${other.url}')`);
  const [call] = callers(receiver.observations);
  assert.deepEqual([call?.reporter.service, call?.reporter.environment, call?.outcome?.code], ['job', 'test', '200']);
});

test('a wrong variable ends the program at start, by its name', async () => {
  await assert.rejects(node({}, '1'), /set BEHALF_SERVICE/);
  await assert.rejects(
    node({ BEHALF_SERVICE: 's', BEHALF_AUDIENCES: 'nonsense' }, '1'),
    /BEHALF_AUDIENCES: expected origin=audience/,
  );
});
