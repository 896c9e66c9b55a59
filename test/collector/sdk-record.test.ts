import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as semconv from '@behalf/sdk/semconv';
import { attributes, collectorOf, inProtobuf, logs, partialOf, START, spanId, TRACE_ID } from './harness.ts';
import type { Plain } from './otlp-codec.ts';

const ID = '0198c0de-0000-7000-8000-000000000001';
const DIGEST = 'ab'.repeat(32);
const issuer = 'https://id.example';
const dana = { type: 'user', issuer, id: 'dana', basis: 'token' };
const planner = { type: 'ai_agent', issuer, id: 'planner', basis: 'token' };

const HOP: Plain = {
  [semconv.OBSERVATION_ID]: ID,
  [semconv.SEQUENCE]: 7n,
  [semconv.PARENT_SPAN_ID]: spanId(9),
  [semconv.CAUSE_TRACE_ID]: TRACE_ID,
  [semconv.CAUSE_SPAN_ID]: spanId(8),
  [semconv.END_TIME]: String(START + 5n),
  [semconv.ABSENT]: { purpose: 'not_disclosed' },
  [semconv.ANOMALIES]: [{ code: 'act_without_iss', detail: 'act.sub' }],
  [semconv.SUBJECT]: dana,
  [semconv.ACTORS]: [planner],
  [semconv.INITIATOR]: { ...dana, id: 'eve' },
  [semconv.PEER]: { type: 'service', id: 'spiffe://acme/planner', basis: 'proof' },
  [semconv.HOP_SIDE]: 'callee',
  [semconv.TRANSPORT_PROTOCOL]: 'http',
  [semconv.TRANSPORT_PEER_SERVICE]: 'planner',
  [semconv.TRANSPORT_PEER_ADDRESS]: '127.0.0.1',
  [semconv.TRANSPORT_MESSAGE_ID]: 'm-1',
  [semconv.TRANSPORT_REQUEST_ID]: '7',
  [semconv.TRANSPORT_CONVERSATION]: 'sha256:ab',
  [semconv.OPERATION]: 'POST /pay',
  [semconv.RESOURCE]: 'invoice:INV-77',
  [semconv.SCOPES_REQUIRED]: ['invoice.pay'],
  [semconv.PURPOSE]: 'pay the invoice',
  [semconv.AUTHORITY_PROFILE]: 'jwt-access-token',
  [semconv.AUTHORITY_ID]: 'at-3',
  [semconv.AUTHORITY_PARENT_ID]: 'at-2',
  [semconv.AUTHORITY_TRANSACTION]: 'txn-1',
  [semconv.AUTHORITY_DIGEST]: DIGEST,
  [semconv.AUTHORITY_ISSUER]: issuer,
  [semconv.AUTHORITY_AUDIENCE]: ['https://payments.example'],
  [semconv.AUTHORITY_CLIENT]: 'planner-app',
  [semconv.AUTHORITY_SCOPES]: ['invoice.pay', 'invoice.read'],
  [semconv.AUTHORITY_ISSUED_AT]: '1793439000000000000',
  [semconv.AUTHORITY_NOT_BEFORE]: '1793439000000000000',
  [semconv.AUTHORITY_EXPIRES_AT]: '1793443000000000000',
  [semconv.AUTHORITY_BINDING]: 'bearer',
  [semconv.VERIFICATION_STATUS]: 'verified',
  [semconv.VERIFICATION_REASON]: 'signature and claims',
  [semconv.VERIFICATION_KEY_ID]: 'k1',
  [semconv.VERIFICATION_BY]: 'payments',
  [semconv.DECISION_OUTCOME]: 'permit',
  [semconv.DECISION_POLICY]: 'scopes',
  [semconv.DECISION_REASON]: 'scope invoice.pay is held',
  [semconv.OUTCOME_STATUS]: 'ok',
  [semconv.OUTCOME_CODE]: '200',
};
const EXCHANGE: Plain = {
  [semconv.OBSERVATION_ID]: ID,
  [semconv.SEQUENCE]: 8n,
  [semconv.SUBJECT]: dana,
  [semconv.ACTORS]: [planner],
  [semconv.EXCHANGE_TOKEN_IN]: DIGEST,
  [semconv.EXCHANGE_TOKEN_OUT]: 'cd'.repeat(32),
  [semconv.EXCHANGE_ACTOR_TOKEN]: 'ef'.repeat(32),
  [semconv.EXCHANGE_REQUESTER]: { type: 'service', id: 'planner', basis: 'assertion' },
  [semconv.EXCHANGE_ISSUER]: issuer,
  [semconv.EXCHANGE_AUDIENCE]: ['https://payments.example'],
  [semconv.EXCHANGE_SCOPES_HELD]: ['invoice.pay', 'invoice.read'],
  [semconv.EXCHANGE_SCOPES_REQUESTED]: ['invoice.pay'],
  [semconv.EXCHANGE_SCOPES_GRANTED]: ['invoice.pay'],
  [semconv.DECISION_OUTCOME]: 'permit',
};

const record = (eventName: string, values: Plain, more: Plain = {}): Plain => ({
  eventName,
  timeUnixNano: String(START),
  traceId: TRACE_ID,
  spanId: spanId(1),
  flags: 1,
  attributes: attributes(values),
  ...more,
});
const RECEIVED = START + 1_000n;
const now = () => RECEIVED;

/** What one record comes to, and what its sender is told. */
const ENDED = {
  [semconv.OBSERVATION_ID]: ID,
  [semconv.REVOCATION_EFFECT]: 'revoked',
  [semconv.DECISION_REASON]: 'left the company',
};

async function send(t: Parameters<typeof collectorOf>[0], sent: Plain) {
  const collector = collectorOf(t, { now });
  const answer = await collector.post('logs', JSON.stringify(logs('payments', sent)));
  assert.equal(answer.statusCode, 200, answer.body);
  const [observation] = collector.observations;
  return { observation, hop: collector.hops()[0], ...partialOf(answer) };
}
const sendHop = (t: Parameters<typeof collectorOf>[0], more: Plain) =>
  send(t, record(semconv.EVENT_HOP, { ...HOP, ...more }));

const shared = {
  v: 1,
  id: ID,
  time: String(START),
  received: String(RECEIVED),
  source: { signal: 'log', vocabulary: 'behalf', scope: 'test' },
};

test('a hop of the SDK is taken over field by field, in JSON and protobuf', async (t) => {
  const { observations, post } = collectorOf(t, { now });
  const request = logs('payments', record(semconv.EVENT_HOP, HOP));
  await post('logs', JSON.stringify(request));
  await post('logs', inProtobuf('logs', request));
  const expected = {
    ...shared,
    kind: 'hop',
    endTime: String(START + 5n),
    reporter: { service: 'payments', authenticated: 'none', sequence: '7' },
    trace: { traceId: TRACE_ID, spanId: spanId(1), parentSpanId: spanId(9), flags: 1, links: [] },
    cause: { traceId: TRACE_ID, spanId: spanId(8) },
    absent: { purpose: 'not_disclosed' },
    anomalies: [{ code: 'act_without_iss', detail: 'act.sub' }],
    side: 'callee',
    transport: {
      ...{ protocol: 'http', peerService: 'planner', peerAddress: '127.0.0.1' },
      ...{ messageId: 'm-1', requestId: '7', conversation: 'sha256:ab' },
    },
    subject: dana,
    initiator: { ...dana, id: 'eve' },
    actors: [planner],
    peer: { type: 'service', id: 'spiffe://acme/planner', basis: 'proof' },
    authority: {
      profile: 'jwt-access-token',
      id: 'at-3',
      parentId: 'at-2',
      transaction: 'txn-1',
      digest: DIGEST,
      issuer,
      audience: ['https://payments.example'],
      client: 'planner-app',
      scopes: ['invoice.pay', 'invoice.read'],
      issuedAt: '1793439000000000000',
      notBefore: '1793439000000000000',
      expiresAt: '1793443000000000000',
      binding: 'bearer',
      verification: { status: 'verified', reason: 'signature and claims', keyId: 'k1', by: 'payments' },
    },
    operation: 'POST /pay',
    resource: 'invoice:INV-77',
    requiredScopes: ['invoice.pay'],
    purpose: 'pay the invoice',
    decision: { outcome: 'permit', policy: 'scopes', reason: 'scope invoice.pay is held' },
    outcome: { status: 'ok', code: '200' },
  };
  assert.deepEqual(observations, [expected, expected]);
});

test('an exchange of the SDK is taken over field by field', async (t) => {
  const { observation } = await send(t, record(semconv.EVENT_EXCHANGE, EXCHANGE));
  assert.deepEqual(observation, {
    ...shared,
    kind: 'exchange',
    reporter: { service: 'payments', authenticated: 'none', sequence: '8' },
    trace: { traceId: TRACE_ID, spanId: spanId(1), flags: 1, links: [] },
    absent: {},
    anomalies: [],
    tokenIn: DIGEST,
    tokenOut: 'cd'.repeat(32),
    actorToken: 'ef'.repeat(32),
    subject: dana,
    actors: [planner],
    requester: { type: 'service', id: 'planner', basis: 'assertion' },
    issuer,
    audience: ['https://payments.example'],
    scopesHeld: ['invoice.pay', 'invoice.read'],
    scopesRequested: ['invoice.pay'],
    scopesGranted: ['invoice.pay'],
    decision: { outcome: 'permit' },
  });
});

test('every name of semconv is read', async (t) => {
  const names = Object.values(semconv).filter(
    (name) => name.startsWith('behalf.') && !name.match(/^behalf\.(hop|exchange|revocation)$/),
  );
  const used = new Set([...Object.keys(HOP), ...Object.keys(EXCHANGE), ...Object.keys(ENDED)]);
  assert.deepEqual(
    names.filter((name) => !used.has(name)),
    [],
  );
  const { hop } = await sendHop(t, {});
  for (const name of Object.keys(HOP)) {
    const others = Object.fromEntries(Object.entries(HOP).filter(([key]) => key !== name));
    const { hop: without } = await send(t, record(semconv.EVENT_HOP, others));
    assert.notDeepEqual(without, hop, name);
  }
});

test('an event name in the attribute where older senders put it is read', async (t) => {
  const { hop } = await send(t, record('', { ...HOP, 'event.name': semconv.EVENT_HOP }));
  assert.equal(hop?.id, ID);
});

test('other log records make no observation, whatever they carry', async (t) => {
  assert.equal((await send(t, record('app.login', HOP))).observation, undefined);
  assert.equal((await send(t, record('', HOP))).observation, undefined);
});

test('a token counts only with a verification that succeeded, proof only with a bound key', async (t) => {
  const proof = { ...dana, basis: 'proof' };
  const basis = async (more: Plain) => (await sendHop(t, more)).hop?.subject?.basis;
  for (const status of ['failed', 'unverified', 'absent']) {
    const { hop } = await sendHop(t, { [semconv.VERIFICATION_STATUS]: status });
    assert.deepEqual([hop?.subject?.basis, hop?.actors[0]?.basis], ['unverified', 'unverified']);
    assert.ok(hop?.anomalies.some(({ code }) => code === 'basis_lowered'));
  }
  assert.equal(await basis({ [semconv.SUBJECT]: proof }), 'token');
  assert.equal(await basis({ [semconv.SUBJECT]: proof, [semconv.AUTHORITY_BINDING]: 'dpop' }), 'proof');
  assert.equal(await basis({ [semconv.SUBJECT]: proof, [semconv.VERIFICATION_STATUS]: 'failed' }), 'unverified');
  assert.equal(await basis({ [semconv.SUBJECT]: { ...dana, basis: 'header' } }), 'header');
});

const REFUSED: readonly (readonly [what: string, event: string, values: Plain, says: RegExp])[] = [
  ['an observation id that is no UUIDv7', semconv.EVENT_HOP, { ...HOP, [semconv.OBSERVATION_ID]: 'x' }, /\/id/],
  ['a side that is none', semconv.EVENT_HOP, { ...HOP, [semconv.HOP_SIDE]: 'middle' }, /\/side/],
  [
    'a digest of another length',
    semconv.EVENT_HOP,
    { ...HOP, [semconv.AUTHORITY_DIGEST]: 'ab' },
    /\/authority\/digest/,
  ],
  ['an unknown decision', semconv.EVENT_HOP, { ...HOP, [semconv.DECISION_OUTCOME]: 'maybe' }, /\/decision/],
  ['an unknown protocol', semconv.EVENT_HOP, { ...HOP, [semconv.TRANSPORT_PROTOCOL]: 'pigeon' }, /\/transport/],
  [
    'an exchange without its token',
    semconv.EVENT_EXCHANGE,
    { ...EXCHANGE, [semconv.EXCHANGE_TOKEN_IN]: '' },
    /tokenIn/,
  ],
  [
    'an exchange without a decision',
    semconv.EVENT_EXCHANGE,
    { ...EXCHANGE, [semconv.DECISION_OUTCOME]: '' },
    /decision/,
  ],
];

for (const [what, event, values, says] of REFUSED) {
  test(`${what} refuses that record by the field's name, and no other`, async (t) => {
    const { observations, post } = collectorOf(t);
    const answer = await post('logs', JSON.stringify(logs('s', record(event, values), record(semconv.EVENT_HOP, HOP))));
    const { rejected, message } = partialOf(answer);
    assert.deepEqual([answer.statusCode, rejected, observations.length], [200, 1, 1]);
    assert.match(message, says);
  });
}

test('an actor that cannot be read leaves a told gap; those beyond sixty-four are told', async (t) => {
  const { hop } = await sendHop(t, { [semconv.ACTORS]: [planner, 'no party', { ...planner, id: 'tool' }] });
  assert.deepEqual(
    hop?.actors.map(({ id }) => id),
    ['planner', 'tool'],
  );
  assert.equal(hop?.absent['actors[1]'], 'unverifiable');
  const many = Array.from({ length: 70 }, (_, i) => ({ ...planner, id: `a${i}` }));
  const { hop: deep } = await sendHop(t, { [semconv.ACTORS]: many });
  assert.deepEqual([deep?.actors.length, deep?.actors[0]?.id, deep?.actors[63]?.id], [64, 'a0', 'a63']);
  assert.ok(deep?.anomalies.some(({ code, detail }) => code === 'cut' && detail?.startsWith('actors: 70')));
});

test('a party whose issuer cannot be kept is not kept under a shorter name', async (t) => {
  const { hop } = await sendHop(t, { [semconv.SUBJECT]: { ...dana, issuer: 'x'.repeat(3000) } });
  assert.deepEqual([hop?.subject, hop?.absent.subject], [undefined, 'unverifiable']);
});

test('a record outside any trace has none; one with a bad id has none and says so', async (t) => {
  const outside = await send(t, record(semconv.EVENT_HOP, HOP, { traceId: '', spanId: '' }));
  assert.deepEqual([outside.hop?.trace, outside.hop?.absent.trace], [undefined, undefined]);
  const bad = await send(t, record(semconv.EVENT_HOP, HOP, { traceId: 'abcd' }));
  assert.deepEqual([bad.hop?.trace, bad.hop?.absent.trace], [undefined, 'unverifiable']);
});

test('what the sender dropped is told', async (t) => {
  const { hop } = await send(t, record(semconv.EVENT_HOP, HOP, { droppedAttributesCount: 1 }));
  assert.equal(hop?.absent.attributes, 'dropped_by_sdk');
});

test('a revocation names a party by its word alone, or a token by its digest', async (t) => {
  const party = { type: 'service', id: 'robot', issuer: 'https://idp', basis: 'token' };
  const ended = await send(t, record(semconv.EVENT_REVOCATION, { ...ENDED, [semconv.SUBJECT]: party }));
  assert.ok(ended.observation?.kind === 'revocation');
  assert.deepEqual(ended.observation.target, { party: { ...party, basis: 'attribute' } });
  assert.deepEqual([ended.observation.effect, ended.observation.reason], ['revoked', 'left the company']);
  const token = { [semconv.AUTHORITY_DIGEST]: 'ab'.repeat(32), [semconv.REVOCATION_EFFECT]: 'restored' };
  const restored = await send(t, record(semconv.EVENT_REVOCATION, { ...ENDED, ...token }));
  assert.ok(restored.observation?.kind === 'revocation');
  assert.deepEqual(restored.observation.target, { token: 'ab'.repeat(32) });
});

test('a revocation of nothing, of two things, or of an unknown effect is refused by name', async (t) => {
  const both = {
    [semconv.SUBJECT]: { type: 'service', id: 'r', basis: 'token' },
    [semconv.AUTHORITY_DIGEST]: 'ab'.repeat(32),
  };
  const { post } = collectorOf(t);
  for (const [values, expected] of [
    [ENDED, /got neither/],
    [{ ...ENDED, ...both }, /got both/],
    [{ ...ENDED, [semconv.AUTHORITY_DIGEST]: 'ab'.repeat(32), [semconv.REVOCATION_EFFECT]: 'paused' }, /\/effect/],
    [{ ...ENDED, [semconv.AUTHORITY_DIGEST]: 'eyJhbGciOi' }, /\/target/],
  ] as const) {
    const answer = await post('logs', JSON.stringify(logs('s', record(semconv.EVENT_REVOCATION, values))));
    assert.equal(answer.statusCode, 200);
    assert.match(answer.body, expected);
  }
});
