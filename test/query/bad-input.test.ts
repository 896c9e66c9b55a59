import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import fastify from 'fastify';
import { connectDatabase } from '#database';
import { exportApi } from '#exports';
import { openLogReader, openPersonReader } from '#ledger/read';
import { installProblems, PROBLEMS, queryApi } from '#query';
import { delegatedCall } from '../chains/entries.ts';
import { testLog } from '../ledger/harness.ts';
import { observationsOf, testApi } from './api.ts';

test('the table of problems is this one', () => {
  assert.deepEqual(
    Object.entries(PROBLEMS).map(([code, { status }]) => `${status} ${code}`),
    [
      '400 invalid_parameter',
      '400 unknown_parameter',
      '404 not_found',
      '404 chain_not_found',
      '404 entry_not_found',
      '404 not_published',
      '409 several_chains',
      '413 too_large',
      '500 internal',
      '500 damaged',
      '503 unavailable',
    ],
  );
});

test('what is wrong with a request is said, and its value is never repeated', async (t) => {
  const { problem } = await testApi(t);
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['/api/v1/entries/1?x=hunter2', '400 unknown_parameter', /takes none/],
    ['/api/v1/chains/c_1?x=hunter2', '400 unknown_parameter', /known are asOf/],
    ['/api/v1/chains/c_1?asOf=hunter2', '400 invalid_parameter', /asOf: .*a tree size/],
    [
      '/api/v1/chains?colour=hunter2',
      '400 unknown_parameter',
      /^"colour" is not known here; known are subject, actor, service, .*limit/,
    ],
    ['/api/v1/chains?p4ssw0rd.x=1', '400 unknown_parameter', /^a parameter is not known here/],
    ['/api/v1/chains?verdict=hunter2', '400 invalid_parameter', /^verdict: .*suspicious, excessive/],
    ['/api/v1/chains?finding=hunter2', '400 invalid_parameter', /^finding: .*orphan_hop/],
    ['/api/v1/chains?limit=0', '400 invalid_parameter', /^limit: .*1 to 200/],
    ['/api/v1/chains?limit=201', '400 invalid_parameter', /^limit: /],
    ['/api/v1/chains?limit=hunter2', '400 invalid_parameter', /^limit: /],
    ['/api/v1/chains?from=hunter2', '400 invalid_parameter', /^from: .*RFC 3339/],
    ['/api/v1/chains?from=2026-02-30T00:00:99Z', '400 invalid_parameter', /^from: expected a time/],
    ['/api/v1/chains?from=1&to=1', '400 invalid_parameter', /^to: expected a moment after/],
    ['/api/v1/chains?cursor=hunter2', '400 invalid_parameter', /^cursor: /],
    [`/api/v1/chains?cursor=${Buffer.from('["1","x"]').toString('base64url')}`, '400 invalid_parameter', /^cursor: /],
    ['/api/v1/chains?service=a&service=hunter2', '400 invalid_parameter', /"service": expected it once/],
    [`/api/v1/chains?subject=${'s'.repeat(4201)}`, '400 invalid_parameter', /^subject: /],
    ['/api/v1/chains?subject=', '400 invalid_parameter', /^subject: /],
    ['/api/v1/chains/nothing', '404 chain_not_found', /no chain/],
    [`/api/v1/chains/${'x'.repeat(601)}`, '400 invalid_parameter', /^id: /],
    ['/api/v1/entries/-1', '400 invalid_parameter', /^index: /],
    ['/api/v1/entries/01', '400 invalid_parameter', /^index: /],
    ['/api/v1/entries/0', '404 entry_not_found', /the log has 0/],
    ['/api/v1/entries/9999999999999999999', '404 entry_not_found', /the log has 0/],
    ['/api/v1/entries/0/proof', '404 entry_not_found', /the log has 0/],
    ['/api/v1/hunter2', '404 not_found', /openapi/],
    ['/log/tile/0/hunter2', '404 not_found', /tlog-tiles/],
    ['/log/tile/0/000', '404 not_found', /published/],
    ['/log/tile/0/x001/000.p/256', '404 not_found', /./],
    ['/api/v1/hops/export?from=1&to=2&format=xml', '400 invalid_parameter', /^format: .*ndjson or csv/],
    ['/api/v1/hops/export?to=2', '400 invalid_parameter', /^from: expected it, got none; it is .*RFC 3339/],
  ];
  for (const [path, is, detail] of cases) {
    const answer = await problem(path);
    assert.equal(answer.is, is, path);
    assert.match(answer.detail, detail, path);
    assert.doesNotMatch(answer.detail, /hunter2/, path);
  }
});

test('no text in any parameter makes the server fail', async (t) => {
  const { app, take, alarms } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const names = [
    'subject',
    'actor',
    'service',
    'resource',
    'scope',
    'verdict',
    'finding',
    'from',
    'to',
    'cursor',
    'limit',
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '\u0000',
      'p_',
      '|',
      '||',
      "'; drop table behalf.chain; --",
      '%',
      '\ud800',
      '99999999999999999999',
      'a|b|c',
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), text, async (name, value) => {
      const encoded = encodeURIComponent(value.toWellFormed());
      for (const path of [
        `/api/v1/chains?${name}=${encoded}`,
        `/api/v1/hops?${name}=${encoded}`,
        `/api/v1/chains/${encoded}`,
      ]) {
        const { statusCode, body } = await app.inject(path);
        assert.ok(statusCode < 500, `${path}: ${body}`);
      }
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(alarms, []);
});

test('a fault of ours tells its operator everything and the reader nothing', async (t) => {
  const told: Error[] = [];
  const app = fastify();
  t.after(() => app.close());
  installProblems(app, (error) => told.push(error));
  app.get('/broken', () => {
    throw new Error('password hunter2');
  });
  const response = await app.inject('/broken');
  assert.equal(response.statusCode, 500);
  assert.equal(response.json().code, 'internal');
  assert.doesNotMatch(response.body, /hunter2/);
  assert.match(String(told[0]?.cause), /hunter2/);
});

test('a database that is away is 503 with a time to come back, and not ready', async (t) => {
  const log = await testLog(t);
  const { origin, verifierKey } = await log.open();
  const persons = await openPersonReader({ database: log.database, logId: 1, origin, keyFolder: log.keyFolder });
  const away = connectDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing' });
  t.after(() => away.close());
  const app = fastify();
  t.after(() => app.close());
  const shared = { database: away, log: openLogReader({ database: away, logId: 1 }), persons };
  await app.register(queryApi, { ...shared, projection: { size: () => 3n }, verifierKey });
  await app.register(exportApi, shared);
  for (const path of ['/api/v1/chains', '/api/v1/entries/0', '/log/checkpoint', '/api/v1/hops/export?from=1&to=2']) {
    const response = await app.inject(path);
    assert.deepEqual([response.statusCode, response.json().code], [503, 'unavailable'], path);
    assert.equal(response.headers['retry-after'], '2');
  }
  const ready = await app.inject('/readyz');
  assert.deepEqual([ready.statusCode, ready.json().database, ready.json().ready], [503, 'does not answer', false]);
  assert.equal((await app.inject('/healthz')).statusCode, 200);
});
