/*
 * The whole path in one file: a user's call goes through two services that use the SDK, their observations go by OTLP to
 * the collector, the ledger sequences and signs them, the projection stitches them into a chain, the query API answers it,
 * and a stranger checks the log. Start reading here.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Behalf, startBehalf } from '@behalf/sdk';
import { checkTlogProof, leafHash, verifyLog } from '@behalf/verify';
import fastify, { type FastifyInstance } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { buildCollector } from '#collector';
import { fsck, openLedger } from '#ledger';
import { openLogReader, openPersonReader } from '#ledger/read';
import { startProjection } from '#projection';
import { type ChainAnswer, type ChainsAnswer, queryApi } from '#query';
import { testDatabase } from './database.ts';

test('a delegated call through two services ends as a proven chain that a stranger can check', async (t) => {
  const server = await behalfServer(t);
  const issuer = await tokenIssuer(t);
  const books = await booksService(t, server.otlp, issuer);
  const gateway = await gatewayService(t, { otlp: server.otlp, issuer, books: books.address });

  // A user pays an invoice. The gateway exchanges her token for one that names itself as actor, and calls books with it.
  const token = await issuer.sign({ sub: 'dana', aud: 'gateway', scope: 'invoice.pay' });
  const paid = await fetch(`${gateway.address}/pay`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([paid.status, await paid.json()], [200, { booked: true }]);
  await Promise.all([gateway.behalf.shutdown(), books.behalf.shutdown()]);
  await server.settle();

  // The investigator asks for the chain.
  const list = (await (await fetch(`${server.api}/api/v1/chains?service=books`)).json()) as ChainsAnswer;
  assert.equal(list.chains.length, 1);
  const answer = await fetch(`${server.api}/api/v1/chains/${list.chains[0]?.id}`);
  const { chain, log } = (await answer.json()) as ChainAnswer;
  assert.equal(chain.verdict, 'permitted', chain.reason);
  assert.equal(chain.subject?.id, 'dana');
  assert.deepEqual(
    chain.actors.map((actor) => actor.id),
    ['gateway'],
  );
  assert.deepEqual(
    chain.hops.map((hop) => [hop.from?.name, hop.to?.name, hop.grade]),
    [
      [undefined, 'gateway', 'asserted'],
      ['gateway', 'books', 'proven'],
    ],
  );
  assert.deepEqual(
    chain.links.map((link) => link.grade),
    ['proven'],
  );
  assert.equal(chain.completeness.complete, true, chain.completeness.says);
  assert.equal(log.published, log.treeSize);

  // A stranger checks one entry with nothing but its bytes, its proof and the log's key; then the whole log.
  const index = chain.entries[0];
  const bytes = new Uint8Array(await (await fetch(`${server.api}/api/v1/entries/${index}`)).arrayBuffer());
  const proof = await (await fetch(`${server.api}/api/v1/entries/${index}/proof`)).text();
  await checkTlogProof({ proof, leaf: leafHash(bytes), verifierKey: server.verifierKey });
  const forged = leafHash(bytes.toReversed());
  await assert.rejects(checkTlogProof({ proof, leaf: forged, verifierKey: server.verifierKey }));
  const report = await verifyLog({ url: `${server.api}/log`, verifierKey: server.verifierKey });
  assert.equal(String(report.entries), log.treeSize);
  assert.equal((await server.fsck()).ok, true);

  // Neither the token nor the person's name stands in the ledger.
  const everything = Buffer.concat((await server.entries()).map((entry) => Buffer.from(entry.bytes))).toString();
  assert.doesNotMatch(everything, /dana|eyJ/);
});

/** Collector, ledger, projection and query API on one database, listening on loopback. */
async function behalfServer(t: TestContext) {
  const database = await testDatabase(t);
  const keyFolder = await mkdtemp(join(tmpdir(), 'behalf-whole-'));
  t.after(() => rm(keyFolder, { recursive: true }));
  const ledger = await openLedger({ database, keyFolder, onAlarm: assert.ifError });
  t.after(() => ledger.close());
  const { logId, origin, verifierKey } = ledger;
  const log = openLogReader({ database, logId });
  const persons = await openPersonReader({ database, logId, origin, keyFolder });
  const projection = startProjection({ database, logId, onAlarm: assert.ifError });
  t.after(() => projection.close());
  const api = fastify();
  await api.register(queryApi, { database, log, persons, projection, verifierKey });
  return {
    verifierKey,
    otlp: await listen(t, buildCollector({ ledger })),
    api: await listen(t, api),
    entries: () => log.entries(0n, 1000),
    fsck: () => fsck({ database, logId, verifierKey }),
    settle: async () => {
      await ledger.publish();
      await projection.caughtUp((await log.log()).size);
    },
  };
}

type Issuer = Awaited<ReturnType<typeof tokenIssuer>>;

/** Signs tokens and serves its public key. */
async function tokenIssuer(t: TestContext) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
  const app = fastify();
  app.get('/jwks', () => ({ keys: [jwk] }));
  const address = await listen(t, app);
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ iss: address, client_id: 'app', jti: crypto.randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey);
  return { address, jwksUri: `${address}/jwks`, sign };
}

/** Keeps the books; takes calls with the scope invoice.pay only. */
async function booksService(t: TestContext, collectorUrl: string, { address, jwksUri }: Issuer) {
  const behalf = startBehalf({ service: 'books', collectorUrl, assume: { subject: 'user', actor: 'service' } });
  const app = fastify();
  await app.register(behalf.guard, { issuer: address, audience: 'books', jwksUri });
  app.post('/book', { config: { behalf: { scopes: ['invoice.pay'] } } }, () => ({ booked: true }));
  return { behalf, address: await listen(t, app) };
}

/** Takes the user's call, exchanges her token (RFC 8693, here by the issuer's own function), and calls books. */
async function gatewayService(
  t: TestContext,
  { otlp, issuer, books }: { readonly otlp: string; readonly issuer: Issuer; readonly books: string },
): Promise<{ behalf: Behalf; address: string }> {
  const behalf = startBehalf({
    service: 'gateway',
    collectorUrl: otlp,
    audiences: { [books]: 'books' },
    assume: { subject: 'user', actor: 'service' },
  });
  const app: FastifyInstance = fastify();
  await app.register(behalf.guard, { issuer: issuer.address, audience: 'gateway', jwksUri: issuer.jwksUri });
  app.post('/pay', { config: { behalf: { scopes: ['invoice.pay'] } } }, async () => {
    const tokenIn = behalf.currentDelegation()?.bearerToken() ?? assert.fail('no delegation');
    const act = { iss: issuer.address, sub: 'gateway' };
    const tokenOut = await issuer.sign({ sub: 'dana', aud: 'books', scope: 'invoice.pay', act });
    behalf.recordExchange({ tokenIn, tokenOut, scopesHeld: ['invoice.pay'], scopesGranted: ['invoice.pay'] });
    const booked = await behalf.fetch(`${books}/book`, {
      method: 'POST',
      behalf: { token: tokenOut, peerService: 'books' },
    });
    return booked.json();
  });
  return { behalf, address: await listen(t, app) };
}

async function listen(t: TestContext, app: FastifyInstance): Promise<string> {
  t.after(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}
