import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as semconv from '@behalf/sdk/semconv';
import { looksSecret, withoutSecrets } from '../../src/collector/secret.ts';
import { VOCABULARIES } from '../../src/collector/vocabulary/read-span.ts';
import { attributes, collectorOf, logs, START, span, spanId, TRACE_ID, traces } from './harness.ts';

/** Assembled, so that no scanner takes this file for a leak. */
const join = (...parts: readonly string[]): string => parts.join('');
const JWT = join('eyJhbGciOiJSUzI1NiJ9', '.', 'eyJzdWIiOiJkYW5hIn0', '.', 'c2lnbmF0dXJlLW9mLXRoZS10b2tlbg');
const PLANTED: readonly string[] = [
  JWT,
  `Bearer ${JWT}`,
  join('Bearer ', 'mF_9.B5f-4.1JqM'),
  join('Basic ', 'ZGFuYTpodW50ZXIy'),
  join('DPoP ', 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'),
  join('sk-', 'proj-1234567890abcdefABCDEF'),
  join('sk_live_', '4eC39HqLyjWDarjtT1zdp7dc'),
  join('ghp_', '16C7e42F292c6912E7710c838347Ae178B4a'),
  join('github_pat_', '11ABCDEFG0abcdefghij_klmnop'),
  join('xoxb-', '1234567890-abcdefghij'),
  join('glpat-', 'abcdefghij1234567890'),
  join('AKIA', 'IOSFODNN7EXAMPLE'),
  join('AIza', 'SyD-1234567890abcdefghijklmnopqrstu'),
  join('-----BEGIN RSA ', 'PRIVATE KEY-----'),
  'access_token=abcdef123456',
  'https://app.example/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=xyzzy',
  '{"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA"}',
  'session_id=8f14e45fceea167a',
  'Cookie: sid=31d4d96e407aad42',
  'authorization: anything',
  'password=hunter2000',
  'X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027',
  'postgres://books:hunter2@db.example/books',
];

const INNOCENT: readonly string[] = [
  'dana',
  'dana@acme.example',
  'auth0|5f7c8ec7c33c6c004bbafe82',
  'spiffe://acme.example/agent/planner',
  '0198c0de-0000-7000-8000-000000000001',
  'ab'.repeat(32),
  'arn:aws:sts::111122223333:assumed-role/Payments/planner-run9',
  'POST /pay/{invoice}',
  'GET /v1/tokens',
  'token expired at 2026-11-01T12:00:00Z',
  'token signature invalid: no key with that id',
  'basic authentication is not accepted',
  'bearer authorization expected',
  'scope invoice.pay is held',
  'tools/call pay',
  'containerd.services.namespaces.v1.Namespaces/Create',
  'risk-assessment-service-of-the-bank-2',
  'jwt-access-token',
  'insufficient_scope',
];

test('credentials of every planted kind are recognised', () => {
  for (const secret of PLANTED) assert.ok(looksSecret(secret), secret);
});

test('names, ids and messages that only talk of credentials are not', () => {
  for (const text of INNOCENT) assert.ok(!looksSecret(text), text);
  for (const text of INNOCENT) assert.equal(withoutSecrets(text), text.replace('dana@acme.example', '[redacted]'));
});

test('paths lose their query, mail addresses and opaque or token-like segments, and nothing else', () => {
  for (const [given, kept] of [
    ['GET /a/b?token=1', 'GET /a/b'],
    ['/users/dana@acme.example/invoices', '/users/[redacted]/invoices'],
    ['/users/dana%40acme.example', '/users/[redacted]'],
    ['/token/abcdefgh123456', '/token/[redacted]'],
    ['/reset/Zk93hTq8LmN2pRx5VwYb7cDe', '/reset/[redacted]'],
    [`/x/${JWT}/y`, '/x/[redacted]/y'],
    ['/sessions/{session_id}/close', '/sessions/{session_id}/close'],
    ['/invoices/INV-77/lines/3', '/invoices/INV-77/lines/3'],
    ['/tx/5698ba57-f2f6-44e9-90f8-987e10353ed8', '/tx/5698ba57-f2f6-44e9-90f8-987e10353ed8'],
    ['UsersController#show', 'UsersController#show'],
    ['/page#part', '/page'],
  ] as const)
    assert.equal(withoutSecrets(given), kept);
});

test('hostile text is judged in time that grows with its length', () => {
  // A pattern that grew with the square would need minutes here.
  for (const part of ['a', 'eyJ-', 'sk-', 'a.', '%40', 'a@', 'Bearer ', 'token', '"token', 'a://a:', '/', '#/', ' ']) {
    const text = part.repeat(Math.ceil(1_000_000 / part.length));
    looksSecret(text);
    withoutSecrets(text);
  }
});

const KEYS = [...new Set(VOCABULARIES.flatMap(({ keys }) => keys))];
const RESOURCE_KEYS = ['service.name', 'service.namespace', 'service.instance.id', 'deployment.environment.name'];

test('a secret in any attribute that is read, a name or an id is not handed on, and its loss is told', async (t) => {
  const { post, observations } = collectorOf(t);
  for (const secret of PLANTED) {
    for (const key of KEYS) {
      const spans = [1, 2, 3].map((kind) => span(kind, kind, { with: { [key]: secret, 'user.name': secret } }));
      await post('traces', JSON.stringify(traces('payments', ...spans)));
    }
    await post('traces', JSON.stringify(traces(secret, span(4, 2, { name: secret }))));
    const resource = { attributes: attributes(Object.fromEntries(RESOURCE_KEYS.map((key) => [key, secret]))) };
    await post('traces', JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span(5, 2)] }] }] }));
  }
  const everything = JSON.stringify(observations);
  for (const secret of PLANTED) assert.ok(!everything.includes(JSON.stringify(secret).slice(1, -1)), secret);
  for (const part of ['hunter2', 'SplxlOBeZQQYbYS6WxSbIA', 'B5f-4', '31d4d96e407aad42']) {
    assert.ok(!everything.includes(part), part);
  }
  const [user] = await collectorOf(t).take('traces', traces('payments', span(1, 2, { with: { 'user.id': JWT } })));
  assert.deepEqual(
    [user?.subject, user?.absent.subject, user?.anomalies[0]?.code],
    [undefined, 'redacted', 'redacted'],
  );
});

test('a secret in any attribute of the SDK’s records is not handed on', async (t) => {
  const { post, observations } = collectorOf(t);
  const valid = {
    [semconv.OBSERVATION_ID]: '0198c0de-0000-7000-8000-000000000001',
    [semconv.HOP_SIDE]: 'callee',
    [semconv.AUTHORITY_PROFILE]: 'jwt',
    [semconv.VERIFICATION_STATUS]: 'verified',
    [semconv.DECISION_OUTCOME]: 'permit',
    [semconv.OUTCOME_STATUS]: 'ok',
  };
  const names = Object.values(semconv).filter((name) => name.startsWith('behalf.'));
  for (const key of names) {
    for (const value of [
      JWT,
      [JWT],
      { type: 'user', id: JWT, issuer: JWT, basis: 'token' },
      [{ id: JWT, code: JWT, detail: JWT }],
    ]) {
      const logRecord = {
        eventName: semconv.EVENT_HOP,
        timeUnixNano: String(START),
        traceId: TRACE_ID,
        spanId: spanId(1),
        attributes: attributes({ ...valid, [key]: value }),
      };
      const answer = await post('logs', JSON.stringify(logs('s', logRecord)));
      assert.equal(answer.statusCode, 200);
      assert.ok(!answer.body.includes(JWT), 'nor repeated to the sender');
    }
  }
  assert.ok(observations.length > names.length);
  assert.ok(!JSON.stringify(observations).includes(JWT.slice(0, 20)));
});

test('a session id of MCP is kept as its digest only', async (t) => {
  const { take } = collectorOf(t);
  const session = '1868a90c-2c5e-4b7a-9b1e-5f3c';
  const [hop] = await take(
    'traces',
    traces('s', span(1, 2, { with: { 'mcp.method.name': 'ping', 'mcp.session.id': session } })),
  );
  assert.match(hop?.transport.conversation ?? '', /^sha256:[0-9a-f]{64}$/);
});
