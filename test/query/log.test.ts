import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTlogProof, leafHash, VerificationError, verifyLog } from '@behalf/verify';
import type { FastifyInstance } from 'fastify';
import { parseEntry } from '#observation';
import type { LogAnswer, ReadyAnswer } from '#query';
import { delegatedCall, Entries } from '../chains/entries.ts';
import { observationsOf, testApi } from './api.ts';

/** The log's HTTP without a port. */
const fetchFrom =
  (app: FastifyInstance) =>
  async (url: string): Promise<Response> => {
    const { statusCode, rawPayload } = await app.inject(new URL(url).pathname);
    return new Response(new Uint8Array(rawPayload), { status: statusCode });
  };

test('a stranger verifies the whole log over HTTP, across full tiles', async (t) => {
  const { app, take, get } = await testApi(t);
  const entries = new Entries();
  for (let n = 1; n <= 300; n += 1) entries.hop({ service: 'a', at: [1, n] });
  await take(observationsOf(entries.all));
  const { verifierKey, size, published, projected } = await get<LogAnswer>('/api/v1/log');
  assert.deepEqual([size, published, projected], ['300', '300', '300']);
  const report = await verifyLog({ url: 'http://log.test/log', verifierKey, fetch: fetchFrom(app) });
  assert.equal(report.entries, 300n);
});

test('an entry’s bytes and proof convince without the server, and a flipped bit does not', async (t) => {
  const { app, take, get } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const { verifierKey } = await get<LogAnswer>('/api/v1/log');
  for (const index of [0, 5, 10]) {
    const entry = await app.inject(`/api/v1/entries/${index}`);
    assert.equal(entry.headers['content-type'], 'application/json');
    parseEntry(entry.rawPayload);
    const proof = await app.inject(`/api/v1/entries/${index}/proof`);
    assert.match(String(proof.headers['content-type']), /^text\/plain/);
    const bytes = new Uint8Array(entry.rawPayload);
    const proven = await checkTlogProof({ proof: proof.body, leaf: leafHash(bytes), verifierKey });
    assert.equal(proven.index, BigInt(index));
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await assert.rejects(checkTlogProof({ proof: proof.body, leaf: leafHash(bytes), verifierKey }), VerificationError);
  }
});

test('no person stands in clear in an entry', async (t) => {
  const { app, take } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  for (let index = 0; index < 11; index += 1)
    assert.doesNotMatch((await app.inject(`/api/v1/entries/${index}`)).body, /dana/);
});

test('an entry not yet under a checkpoint has bytes and no proof yet', async (t) => {
  const { app, ledger, problem } = await testApi(t);
  await ledger.append(observationsOf(delegatedCall().all));
  assert.equal((await app.inject('/api/v1/entries/3')).statusCode, 200);
  const { is, detail } = await problem('/api/v1/entries/3/proof');
  assert.equal(is, '404 not_published');
  assert.match(detail, /entry 3 is stored/);
});

test('what never changes may be kept, what does is asked for again, and persons are kept by nobody', async (t) => {
  const { app, take } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const cacheOf = async (path: string) => {
    const { statusCode, headers } = await app.inject(path);
    assert.equal(statusCode, 200, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    return headers['cache-control'];
  };
  assert.match(String(await cacheOf('/log/tile/0/000.p/11')), /immutable/);
  assert.match(String(await cacheOf('/log/tile/entries/000.p/11')), /immutable/);
  assert.match(String(await cacheOf('/api/v1/entries/0')), /private.*immutable/);
  assert.equal(await cacheOf('/log/checkpoint'), 'no-cache');
  assert.equal(await cacheOf('/api/v1/chains'), 'no-store');
  assert.equal((await app.inject('/log/tile/0/000')).headers['cache-control'], 'no-store');
});

test('readiness tells how far behind chains are, and healthy is whoever answers', async (t) => {
  const { take, get, ledger, projection, app } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const ready = await get<ReadyAnswer>('/readyz');
  assert.deepEqual(
    [ready.ready, ready.database, ready.log, ready.projection],
    [true, 'answers', { size: '11', published: '11' }, { size: '11', behind: '0', unread: '0', trouble: null }],
  );
  await projection.close();
  await ledger.append(observationsOf(delegatedCall(new Entries(), 2).all.map(renamed)));
  assert.equal((await get<ReadyAnswer>('/readyz')).projection.behind, '11');
  assert.deepEqual((await app.inject('/healthz')).json(), { status: 'ok' });
});

const renamed = (each: ReturnType<typeof delegatedCall>['all'][number]) => ({
  ...each,
  entry: { ...each.entry, id: each.entry.id.replace('8000', '8111') },
});
