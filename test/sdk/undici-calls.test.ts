import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
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

test('of a token that a function gives, plain fetch carries the last one known, none that has expired, and says when it was not given', async (t) => {
  const other = await callee(t);
  const now = Math.floor(Date.now() / 1000);
  const signer = await tokenIssuer(t);
  const [first, second, old] = [
    await signer.sign({ jti: '1' }),
    await signer.sign({ jti: '2' }),
    await signer.sign({ exp: now - 1 }),
  ];
  const given: (() => string | undefined | Promise<string>)[] = [
    () => first,
    async () => second,
    () => assert.fail('broken'),
    async () => old,
    () => undefined,
  ];
  let asked = 0;
  const token = () => given[Math.min(asked++, given.length - 1)]?.();
  const { behalf, receiver } = await guardedService(t, {
    options: { automatic: true, token, audiences: { [other.url]: AUDIENCE } },
  });
  for (const _ of given) await fetch(other.url);
  assert.deepEqual(
    other.got.map(({ authorization }) => authorization),
    [`Bearer ${first}`, `Bearer ${second}`, `Bearer ${second}`, undefined, undefined],
  );
  await behalf.flush();
  assert.deepEqual(
    callers(receiver.observations).map(({ anomalies }) => anomalies.map(({ code }) => code)),
    [[], ['token_source_failed'], ['token_source_failed'], [], []],
  );
});

test('a token function that calls out itself is not asked by its own call', async (t) => {
  const other = await callee(t);
  const { sign } = await tokenIssuer(t);
  const [service, token] = [await sign(), await tokenIssuer(t)];
  let asked = 0;
  await guardedService(t, {
    options: {
      automatic: true,
      audiences: { [other.url]: AUDIENCE },
      token: async () => {
        asked += 1;
        await fetch(token.jwksUri);
        return service;
      },
    },
  });
  await new Promise((later) => setTimeout(later, 100));
  assert.equal(asked, 1);
  await fetch(other.url);
  assert.equal(other.got[0]?.authorization, `Bearer ${service}`);
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
  assert.equal(call?.authority?.verification.status, 'absent');
  assert.deepEqual([call?.reporter.service, call?.reporter.environment, call?.outcome?.code], ['job', 'test', '200']);
});

test('registered, a program’s fetch carries the token of a file, as it is written anew', async (t) => {
  const [other, receiver, signer] = [await callee(t), await otlpReceiver(t), await tokenIssuer(t)];
  const folder = await mkdtemp(join(tmpdir(), 'behalf-token-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'token');
  const [first, second] = [await signer.sign({ jti: '1' }), await signer.sign({ jti: '2' })];
  await writeFile(file, `${first}\n`);
  const env = { BEHALF_SERVICE: 'job', BEHALF_COLLECTOR_URL: receiver.url, BEHALF_TOKEN_FILE: file };
  const wait = 'await new Promise((later) => setTimeout(later, 200));';
  const write = `await (await import('node:fs/promises')).writeFile('${file}', '${second}');`;
  const call = `await fetch('${other.url}'); ${wait}`;
  await node({ ...env, BEHALF_AUDIENCES: `${other.url}=${AUDIENCE}` }, `${wait} ${call} ${write} ${call} ${call}`);
  assert.deepEqual([other.got[0]?.authorization, other.got[2]?.authorization], [`Bearer ${first}`, `Bearer ${second}`]);
});

test('a wrong variable ends the program at start, by its name', async () => {
  await assert.rejects(node({}, '1'), /set BEHALF_SERVICE/);
  await assert.rejects(
    node({ BEHALF_SERVICE: 's', BEHALF_AUDIENCES: 'nonsense' }, '1'),
    /BEHALF_AUDIENCES: expected origin=audience/,
  );
});
