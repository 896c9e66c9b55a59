import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributes, collectorOf, START, span, spanId, TRACE_ID, traces } from './harness.ts';

const INTERNAL = 1;
const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const RECEIVED = START + 5_000_000_000n;

/** What one span of a service comes to. */
async function hopOf(t: Parameters<typeof collectorOf>[0], kind: number, values: object, more: object = {}) {
  const collector = collectorOf(t, { now: () => RECEIVED });
  const [hop] = await collector.take('traces', traces('payments', span(1, kind, { ...more, with: values })));
  return hop;
}

test('server and consumer spans are callees, client and producer spans are callers', async (t) => {
  const sides = [];
  for (const kind of [SERVER, CONSUMER, CLIENT, PRODUCER]) sides.push((await hopOf(t, kind, {}))?.side);
  assert.deepEqual(sides, ['callee', 'callee', 'caller', 'caller']);
});

test('an internal span is a hop when it runs an agent or a tool or names a user, and else is none', async (t) => {
  assert.equal((await hopOf(t, INTERNAL, { 'gen_ai.operation.name': 'invoke_agent' }))?.side, 'local');
  assert.equal((await hopOf(t, INTERNAL, { 'gen_ai.operation.name': 'execute_tool' }))?.side, 'local');
  assert.equal((await hopOf(t, INTERNAL, { 'openinference.span.kind': 'TOOL' }))?.side, 'local');
  assert.equal((await hopOf(t, INTERNAL, { 'traceloop.span.kind': 'agent' }))?.side, 'local');
  assert.equal((await hopOf(t, INTERNAL, { 'enduser.id': 'dana' }))?.side, 'local');
  assert.equal(await hopOf(t, INTERNAL, { 'gen_ai.operation.name': 'chat' }), undefined);
  assert.equal(await hopOf(t, INTERNAL, { 'http.route': '/x' }), undefined);
  assert.equal(await hopOf(t, 0, {}), undefined);
});

test('the resource attributes name the reporter, unauthenticated', async (t) => {
  const { take } = collectorOf(t);
  const resource = {
    'service.name': 'payments',
    'service.namespace': 'shop',
    'service.instance.id': 'i-1',
    'deployment.environment.name': 'prod',
  };
  const scopeSpans = [{ spans: [span(1, SERVER)] }];
  const [hop] = await take('traces', {
    resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans }],
  });
  assert.deepEqual(hop?.reporter, {
    service: 'payments',
    namespace: 'shop',
    instance: 'i-1',
    environment: 'prod',
    authenticated: 'none',
  });
});

test('a service without a name is nobody: it is no actor, and its absence is told', async (t) => {
  const { take } = collectorOf(t);
  for (const name of [undefined, 'unknown_service', 'unknown_service:node']) {
    const [hop] = await take('traces', traces(name, span(1, CLIENT)));
    assert.deepEqual([hop?.actors, hop?.absent.actors], [[], 'none_observed']);
  }
  const [hop] = await take('traces', traces(undefined, span(1, CLIENT)));
  assert.deepEqual([hop?.reporter.service, hop?.absent['service.name']], ['unknown_service', 'none_observed']);
  const [none] = await take('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span(2, SERVER)] }] }] });
  assert.equal(none?.reporter.service, 'unknown_service');
});

test('attributes are graded attribute, a service name resource; nothing claims a token', async (t) => {
  const caller = await hopOf(t, CLIENT, { 'user.id': 'dana' });
  assert.deepEqual(caller?.subject, { type: 'user', id: 'dana', basis: 'attribute' });
  assert.deepEqual(caller?.actors, [{ type: 'service', id: 'payments', basis: 'resource' }]);
  const local = await hopOf(t, INTERNAL, { 'gen_ai.agent.id': 'planner' });
  assert.deepEqual(local?.actors, [{ type: 'ai_agent', id: 'planner', basis: 'attribute' }]);
  const claims = { 'behalf.verification.status': 'verified', 'behalf.authority.profile': 'jwt', 'behalf.subject': 'x' };
  const claiming = await hopOf(t, SERVER, claims);
  assert.deepEqual([claiming?.authority, claiming?.subject], [undefined, undefined]);
});

test('a callee does not say who called; an agent that is called is what was reached', async (t) => {
  const hop = await hopOf(t, SERVER, { 'gen_ai.agent.id': 'planner', 'url.path': '/run' });
  assert.deepEqual([hop?.actors, hop?.absent.actors, hop?.resource], [[], 'none_observed', 'agent:planner']);
});

test('an agent called at an address is the other end; one without runs here and acts', async (t) => {
  const values = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.id': 'planner' };
  const remote = await hopOf(t, CLIENT, { ...values, 'server.address': 'agents.example', 'server.port': 443 });
  assert.deepEqual(
    [remote?.side, remote?.transport.peerService, remote?.transport.peerAddress, remote?.actors[0]?.type],
    ['caller', 'planner', 'agents.example:443', 'service'],
  );
  const here = await hopOf(t, CLIENT, values);
  assert.deepEqual([here?.side, here?.actors[0]?.id, here?.operation], ['local', 'planner', 'invoke_agent planner']);
});

test('of several names of the user the strongest is kept and a conflict is told', async (t) => {
  const hop = await hopOf(t, SERVER, { 'enduser.id': 'dana', 'user.id': 'd-17', 'gen_ai.user': 'dana' });
  assert.equal(hop?.subject?.id, 'd-17');
  assert.deepEqual(hop?.anomalies, [
    { code: 'subject_conflict', detail: 'user.id is kept; other users stand in enduser.id, gen_ai.user' },
  ]);
  assert.deepEqual((await hopOf(t, SERVER, { 'enduser.id': 'dana', 'user.id': 'dana' }))?.anomalies, []);
});

const READS: readonly (readonly [what: string, kind: number, values: object, expected: object])[] = [
  [
    'HTTP',
    SERVER,
    {
      'http.request.method': 'POST',
      'http.route': '/pay/{id}',
      'url.path': '/pay/7',
      'http.response.status_code': 201,
    },
    { protocol: 'http', operation: 'POST /pay/{id}', resource: '/pay/7', outcome: { status: 'ok', code: '201' } },
  ],
  [
    'HTTP before 1.20',
    CLIENT,
    { 'http.method': 'GET', 'http.url': 'https://books.example:8443/v1/list?q=1', 'http.status_code': 403 },
    {
      protocol: 'http',
      operation: 'GET /v1/list',
      resource: '/v1/list',
      outcome: { status: 'error', code: '403' },
      peerAddress: 'books.example:8443',
    },
  ],
  [
    'gRPC',
    CLIENT,
    { 'rpc.system': 'grpc', 'rpc.service': 'books.Ledger', 'rpc.method': 'Post', 'rpc.grpc.status_code': 7 },
    {
      protocol: 'grpc',
      operation: 'books.Ledger/Post',
      resource: 'books.Ledger/Post',
      outcome: { status: 'error', code: '7' },
    },
  ],
  [
    'MCP',
    SERVER,
    { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'pay', 'jsonrpc.request.id': '7' },
    { protocol: 'mcp', operation: 'tools/call pay', resource: 'tool:pay', requestId: '7' },
  ],
  [
    'A2A',
    CLIENT,
    { 'a2a.method.name': 'SendMessage', 'a2a.task.id': 't-1', 'gen_ai.conversation.id': 'c-1' },
    { protocol: 'a2a', operation: 'SendMessage', resource: 'task:t-1', conversation: 'c-1' },
  ],
  [
    'A2A of one task',
    SERVER,
    { 'a2a.method.name': 'SendMessage', 'a2a.task.id': 't-1', 'a2a.message.id': 'm-1' },
    { protocol: 'a2a', operation: 'SendMessage', resource: 'task:t-1', conversation: 'task:t-1', messageId: 'm-1' },
  ],
  [
    'messaging',
    PRODUCER,
    {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.destination.name': 'payments',
      'messaging.message.id': 'm-1',
    },
    { protocol: 'messaging', operation: 'send payments', resource: 'payments', messageId: 'm-1' },
  ],
  [
    'a database',
    CLIENT,
    {
      'db.system.name': 'postgresql',
      'db.namespace': 'books',
      'db.collection.name': 'entries',
      'db.operation.name': 'INSERT',
      'db.query.text': "insert into entries values ('secret')",
    },
    { protocol: 'database', operation: 'INSERT', resource: 'books.entries', peerService: 'postgresql' },
  ],
  [
    'a tool of an agent',
    INTERNAL,
    { 'openinference.span.kind': 'TOOL', 'tool.name': 'pay', 'session.id': 's-1', 'user.id': 'dana' },
    { protocol: 'tool', resource: 'tool:pay', conversation: 's-1' },
  ],
];

for (const [what, kind, values, expected] of READS) {
  test(`${what} is read`, async (t) => {
    const hop = await hopOf(t, kind, values);
    const flat = { ...hop?.transport, operation: hop?.operation, resource: hop?.resource, outcome: hop?.outcome };
    assert.partialDeepStrictEqual(flat, expected);
    assert.ok(!JSON.stringify(hop).includes('secret'));
  });
}

test('a failed status is an error whatever the code, an unset one says nothing by itself', async (t) => {
  const outcome = async (code: number, values: object) =>
    (await hopOf(t, SERVER, values, { status: { code } }))?.outcome;
  assert.deepEqual(await outcome(2, { 'http.status_code': 200 }), { status: 'error', code: '200' });
  assert.deepEqual(await outcome(1, {}), { status: 'ok' });
  assert.deepEqual(await outcome(0, {}), { status: 'unknown' });
});

test('what the sender dropped is absent because it was dropped, not because nobody was there', async (t) => {
  const hop = await hopOf(t, SERVER, {}, { droppedAttributesCount: 2, droppedLinksCount: 1 });
  assert.deepEqual(hop?.absent, {
    actors: 'none_observed',
    attributes: 'dropped_by_sdk',
    subject: 'dropped_by_sdk',
    'trace.links': 'dropped_by_sdk',
  });
  assert.equal((await hopOf(t, SERVER, {}))?.absent.subject, 'none_observed');
});

test('a missing parent is written in many ways; one of another length is left out and told', async (t) => {
  for (const parentSpanId of ['', undefined, '0'.repeat(16)]) {
    const hop = await hopOf(t, SERVER, {}, { parentSpanId });
    assert.deepEqual([hop?.trace?.parentSpanId, hop?.anomalies], [undefined, []]);
  }
  const hop = await hopOf(t, SERVER, {}, { parentSpanId: 'abcd' });
  assert.deepEqual([hop?.trace?.parentSpanId, hop?.anomalies[0]?.code], [undefined, 'invalid_parent_span_id']);
});

const TIMES: readonly (readonly [what: string, start: string | undefined, code: string | undefined])[] = [
  ['missing', undefined, 'time_missing'],
  ['zero', '0', 'time_missing'],
  ['in milliseconds', '1793439700000', 'time_out_of_range'],
  ['at the end of 64 bits', '18446744073709551615', 'time_out_of_range'],
  ['three years behind', String(START - 94_608_000_000_000_000n), undefined],
];

for (const [what, startTimeUnixNano, code] of TIMES) {
  test(`a start ${what} is ${code === undefined ? 'kept as claimed' : 'replaced by the time of receipt, and told'}`, async (t) => {
    const hop = await hopOf(t, SERVER, {}, { startTimeUnixNano, endTimeUnixNano: '0' });
    assert.equal(hop?.time, code === undefined ? startTimeUnixNano : String(RECEIVED));
    assert.equal(hop?.anomalies[0]?.code, code);
    assert.equal(hop?.received, String(RECEIVED));
  });
}

test('an end before the start is left out and told', async (t) => {
  const hop = await hopOf(t, SERVER, {}, { endTimeUnixNano: String(START - 1n) });
  assert.deepEqual([hop?.endTime, hop?.anomalies[0]?.code], [undefined, 'end_time_invalid']);
});

test('a description over its limit is cut and told, an identifier over its limit is left out whole', async (t) => {
  const long = await hopOf(t, SERVER, { 'user.id': 'u'.repeat(2049) }, { name: `${'n'.repeat(511)}😀` });
  assert.equal(long?.operation, 'n'.repeat(511));
  assert.deepEqual([long?.subject, long?.absent.subject], [undefined, 'unverifiable']);
  assert.deepEqual(
    long?.anomalies.map(({ code }) => code),
    ['cut', 'too_long'],
  );
});

test('text that PostgreSQL or UTF-8 cannot hold is replaced and told', async (t) => {
  const hop = await hopOf(t, SERVER, { 'user.id': 'da\u0000na' }, { name: 'half \ud83d' });
  assert.deepEqual([hop?.subject?.id, hop?.operation], ['da\ufffdna', 'half \ufffd']);
  assert.deepEqual(
    hop?.anomalies.map(({ code }) => code),
    ['invalid_text', 'invalid_text'],
  );
});

test('ten thousand attributes and one of 100 kB are taken; a hundred and thirty links are cut and told', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`app.${i}`, 'x'.repeat(10)]));
  const links = Array.from({ length: 130 }, (_, i) => ({ traceId: TRACE_ID, spanId: spanId(i + 100) }));
  const hop = await hopOf(
    t,
    SERVER,
    { ...many, 'user.id': 'dana', big: 'y'.repeat(100_000) },
    {
      links: [...links, { traceId: 'ab', spanId: 'cd' }],
    },
  );
  assert.deepEqual([hop?.subject?.id, hop?.trace?.links.length], ['dana', 128]);
  assert.deepEqual(
    hop?.anomalies.map(({ code }) => code),
    ['cut', 'invalid_link'],
  );
});

test('duplicate keys keep the first value and are told', async (t) => {
  const twice = [...attributes({ 'user.id': 'dana' }), ...attributes({ 'user.id': 'eve' })];
  const hop = await hopOf(t, SERVER, {}, { attributes: twice });
  assert.deepEqual([hop?.subject?.id, hop?.anomalies[0]?.code], ['dana', 'duplicate_attribute']);
});

test('a calling address on the public internet may be a person’s and is not kept; an internal one is', async (t) => {
  for (const [address, kept] of [
    ['203.0.113.9', false],
    ['2001:db8::1', false],
    ['::ffff:203.0.113.9', false],
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['fd00::1', true],
    ['payments.default.svc', true],
  ] as const) {
    const hop = await hopOf(t, SERVER, { 'client.address': address });
    assert.equal(hop?.transport.peerAddress, kept ? address : undefined, address);
    assert.equal(hop?.absent['transport.peerAddress'], kept ? undefined : 'redacted');
  }
});

test('a hop’s cause is the nearest hop above it, through spans that are none', async (t) => {
  const { take } = collectorOf(t);
  const under = (id: number, parent: number, kind: number) => span(id, kind, { parentSpanId: spanId(parent) });
  const hops = await take(
    'traces',
    traces('planner', under(5, 4, CLIENT), under(4, 3, INTERNAL), under(3, 2, INTERNAL), under(2, 1, SERVER)),
  );
  const causes = hops.map(({ trace, cause }) => [trace?.spanId, cause?.spanId]);
  assert.deepEqual(causes, [
    [spanId(5), spanId(2)],
    [spanId(2), undefined],
  ]);
});

test('a way up that turns in a circle, forks or is unknown gives no cause', async (t) => {
  const { take } = collectorOf(t);
  const under = (id: number, parent: number, kind: number) => span(id, kind, { parentSpanId: spanId(parent) });
  const circle = await take('traces', traces('s', under(1, 2, CLIENT), under(2, 3, INTERNAL), under(3, 2, INTERNAL)));
  assert.equal(circle[0]?.cause, undefined);
  const self = await take('traces', traces('s', under(4, 4, CLIENT)));
  assert.equal(self[0]?.cause, undefined);
  const fork = [
    under(11, 10, CLIENT),
    under(10, 8, INTERNAL),
    under(10, 9, INTERNAL),
    span(8, SERVER),
    span(9, SERVER),
  ];
  assert.equal((await take('traces', traces('s', ...fork)))[0]?.cause, undefined);
});

test('a cause is found in an earlier request of the same service, and of no other', async (t) => {
  const { take } = collectorOf(t);
  const late = (id: number) => span(id, CLIENT, { parentSpanId: spanId(2) });
  await take('traces', traces('planner', span(2, INTERNAL, { parentSpanId: spanId(1) }), span(1, SERVER)));
  assert.equal((await take('traces', traces('planner', late(3))))[0]?.cause?.spanId, spanId(1));
  assert.equal((await take('traces', traces('impostor', late(4))))[0]?.cause, undefined);
});

test('nothing is remembered of a request that was not stored', async (t) => {
  let isDown = true;
  const append = async (given: readonly unknown[]) => {
    if (isDown) throw new Error('down');
    return given.map((_, i) => ({ kind: 'sequenced', leafIndex: BigInt(i), duplicate: false }) as const);
  };
  const causes: (string | undefined)[] = [];
  const ledger = {
    append: async (given: readonly { readonly cause?: { readonly spanId: string } }[]) => {
      const stored = await append(given);
      causes.push(...given.map(({ cause }) => cause?.spanId));
      return stored;
    },
  };
  const { post } = collectorOf(t, { ledger });
  await post('traces', JSON.stringify(traces('planner', span(1, SERVER))));
  isDown = false;
  const inner = span(2, INTERNAL, { parentSpanId: spanId(1) });
  await post('traces', JSON.stringify(traces('planner', inner, span(3, CLIENT, { parentSpanId: spanId(2) }))));
  assert.deepEqual(causes, [undefined, spanId(2)]); // the inner span, kept: the server span above was not stored
});

test('an inner span that only repeats the user of the span around it is counted, not stored', async (t) => {
  const { take, accounting } = collectorOf(t);
  const hops = await take(
    'traces',
    traces(
      's',
      span(1, SERVER, { with: { 'user.id': 'dana' } }),
      span(2, INTERNAL, { parentSpanId: spanId(1), with: { 'user.id': 'dana' } }),
      span(3, INTERNAL, { parentSpanId: spanId(1), with: { 'user.id': 'eve' } }),
    ),
  );
  assert.deepEqual(
    hops.map(({ subject }) => subject?.id),
    ['dana', 'eve'],
  );
  assert.equal(accounting.account.notStored.repeats_parent, 1);
});

test('a reused span id with other content is another observation; only receipt and cause do not count', async (t) => {
  let now = RECEIVED;
  const { take } = collectorOf(t, { now: () => now });
  const id = async (values: object, more: object = {}) =>
    (await take('traces', traces('s', span(1, SERVER, { ...more, with: values }))))[0]?.id;
  const first = await id({ 'user.id': 'dana' });
  now += 60_000_000_000n;
  assert.equal(await id({ 'user.id': 'dana' }), first);
  assert.notEqual(await id({ 'user.id': 'eve' }), first);
  assert.notEqual(await id({ 'user.id': 'dana' }, { name: 'other' }), first);
  const timeless = await id({}, { startTimeUnixNano: '0', endTimeUnixNano: '0' });
  now += 60_000_000_000n;
  assert.equal(await id({}, { startTimeUnixNano: '0', endTimeUnixNano: '0' }), timeless);
});

test('the id of an observation cannot be found from its content without the key', async (t) => {
  const request = traces('s', span(1, SERVER, { with: { 'user.id': 'dana' } }));
  const ids = [];
  for (const idKey of [new Uint8Array(32), new Uint8Array(32).fill(1)]) {
    ids.push((await collectorOf(t, { idKey }).take('traces', request))[0]?.id);
  }
  assert.notEqual(ids[0], ids[1]);
});
