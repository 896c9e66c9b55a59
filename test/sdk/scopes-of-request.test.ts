import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startBehalf } from '@behalf/sdk';
import Fastify from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const ISSUER = 'http://127.0.0.1:9';

/** A guarded service whose route asks for the scope that the body's `tool` names. Gives its answers and what it reported. */
async function service(t: TestContext, mode: 'enforce' | 'observe' = 'enforce') {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] };
  const reported: string[] = [];
  const other = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.url === '/v1/logs')
      reported.push((request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1'));
    response.setHeader('content-type', request.url === '/keys' ? 'application/json' : 'application/x-protobuf');
    response.end(request.url === '/keys' ? JSON.stringify(keys) : undefined);
  });
  await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
  t.after(() => other.close());
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const behalf = startBehalf({ service: 'tools', collectorUrl: url });
  const app = Fastify();
  t.after(() => app.close());
  await app.register(behalf.guard, { issuer: ISSUER, audience: 'tools', jwksUri: `${url}/keys`, mode });
  const scopes = ({ body }: { body: unknown }): readonly string[] => {
    const { tool } = body as { tool: string };
    if (tool === 'broken') throw new Error('no such tool');
    return tool === 'strange' ? ['not a scope'] : [`tool.${tool}`];
  };
  app.post(
    '/',
    { config: { behalf: { scopes, operation: ({ body }) => (body as { tool: string }).tool } } },
    () => 'done',
  );
  const token = await new SignJWT({ scope: 'tool.read' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience('tools')
    .setSubject('dana')
    .setExpirationTime('5m')
    .sign(privateKey);
  const call = async (tool: string) => {
    const answer = await app.inject({
      method: 'POST',
      url: '/',
      headers: { authorization: `Bearer ${token}` },
      payload: { tool },
    });
    await behalf.flush();
    return { status: answer.statusCode, challenge: String(answer.headers['www-authenticate']), reported };
  };
  return { call, app };
}

test('a route may ask for the scopes its body needs: held they pass, missing they are refused and named', async (t) => {
  const { call } = await service(t);
  assert.equal((await call('read')).status, 200);
  const refused = await call('write');
  assert.equal(refused.status, 403);
  assert.match(refused.challenge, /insufficient_scope.*scope="tool\.write"/);
  assert.match(refused.reported.at(-1) ?? '', /behalf\.scopes\.required.*tool\.write/s);
  assert.match(refused.reported.at(-1) ?? '', /insufficient_scope/);
});

test('a scopes function that throws, or gives what are no scopes, keeps the route closed', async (t) => {
  const { call } = await service(t);
  for (const tool of ['broken', 'strange']) {
    const { status, reported } = await call(tool);
    assert.equal(status, 403, tool);
    assert.match(reported.at(-1) ?? '', /scopes_unknown/);
  }
});

test('observing, what would have been refused passes and is recorded so', async (t) => {
  const { call } = await service(t, 'observe');
  const { status, reported } = await call('write');
  assert.equal(status, 200);
  assert.match(reported.at(-1) ?? '', /would_deny:insufficient_scope/);
});

test('without a token the body is never asked', async (t) => {
  const { app } = await service(t);
  assert.equal((await app.inject({ method: 'POST', url: '/', payload: { tool: 'broken' } })).statusCode, 401);
});
