import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chain, type Recorded, stitch } from '#chains';
import { agent, delegatedCall, digest, Entries, service, traceOf, user } from './entries.ts';

const text = (chains: readonly Chain[]): string => JSON.stringify(chains);
const only = (chains: readonly Chain[]): Chain => {
  assert.equal(chains.length, 1);
  return chains[0] ?? assert.fail();
};
const path = (chain: Chain): string[] =>
  chain.hops.filter((hop) => hop.kind === 'crossing').map((hop) => `${hop.from?.name ?? ''}>${hop.to?.name ?? ''}`);

test('a delegated call through an uninstrumented agent ends as one permitted chain whose links are proven', () => {
  const chain = only(stitch(delegatedCall().all));
  assert.deepEqual(path(chain), ['>gateway', 'gateway>planner', 'planner>payments', 'payments>books']);
  const tokens = chain.links.filter((link) => chain.hops.some((hop) => hop.id === link.to && hop.kind === 'crossing'));
  assert.deepEqual(
    tokens.map((link) => link.grade),
    ['proven', 'proven', 'proven'],
  );
  assert.equal(chain.verdict, 'permitted', chain.reason);
  assert.deepEqual(
    chain.actors.map((actor) => ('id' in actor ? actor.id : '')),
    ['gateway', 'planner', 'payments'],
  );
  assert.equal(chain.completeness.complete, true, chain.completeness.says);
});

test('a crossing is proven when the callee exchanged the token the caller sent, though it says nothing itself', () => {
  const chain = only(stitch(delegatedCall().all));
  const toPlanner = chain.hops.find((hop) => hop.to?.name === 'planner' && hop.kind === 'crossing');
  assert.equal(toPlanner?.grade, 'proven');
});

test('order, duplicates and repetition never change the chains', () => {
  const entries = delegatedCall(delegatedCall(), 2).all;
  const expected = text(stitch(entries));
  fc.assert(
    fc.property(fc.shuffledSubarray([...entries, ...entries], { minLength: entries.length * 2 }), (shuffled) => {
      assert.equal(text(stitch(shuffled as Recorded[])), expected);
    }),
    { numRuns: 60 },
  );
});

test('two transactions that share nothing are two chains', () => {
  assert.equal(stitch(delegatedCall(delegatedCall(), 2).all).length, 2);
});

test('span parentage alone is never more than inferred', () => {
  const entries = new Entries();
  const source = { signal: 'span' as const, vocabulary: 'otel-semconv' };
  entries.hop({ service: 'a', at: [1, 1], source });
  entries.hop({ service: 'a', side: 'caller', at: [1, 2, 1], source });
  entries.hop({ service: 'b', at: [1, 3, 2], source });
  const chain = only(stitch(entries.all));
  assert.deepEqual(
    chain.hops.map((hop) => hop.grade),
    ['asserted', 'inferred'],
  );
  assert.deepEqual(
    chain.links.map((link) => link.grade),
    ['inferred'],
  );
});

test('both sides naming the same party make a crossing corroborated', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'caller', at: [1, 2], transport: { protocol: 'http', peerService: 'b' } });
  entries.hop({ service: 'b', at: [1, 3, 2] });
  assert.equal(only(stitch(entries.all)).hops[0]?.grade, 'corroborated');
});

test('a call reported by one side only is a hop with a gap, not a root and not a guess', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'caller', at: [1, 2], transport: { protocol: 'http', peerService: 'b' } });
  entries.hop({ service: 'c', at: [1, 9, 8] });
  const chain = only(stitch(entries.all));
  assert.deepEqual(
    chain.gaps.map((gap) => gap.kind),
    ['caller_without_callee', 'callee_without_caller'],
  );
  assert.equal(chain.hops[0]?.to?.reported, false);
  assert.equal(chain.completeness.complete, false);
});

test('a broken trace is joined by an observed exchange: proven where the service that exchanged reports the call', () => {
  for (const [isReported, grade] of [
    [true, 'proven'],
    [false, 'asserted'],
  ] as const) {
    const entries = new Entries();
    const dana = user('dana');
    entries.hop({ service: 'payments', at: [1, 1], digest: 'in', scopes: ['x'], subject: dana });
    entries.exchange({ at: [1, 2, 1], tokenIn: digest('in'), tokenOut: digest('out') });
    if (isReported) entries.hop({ service: 'payments', side: 'caller', at: [2, 9], digest: 'out', verified: false });
    entries.hop({
      service: 'books',
      at: isReported ? [2, 1, 9] : [2, 1],
      digest: 'out',
      scopes: ['x'],
      subject: dana,
      actors: [service('payments')],
    });
    const chain = only(stitch(entries.all));
    assert.deepEqual(chain.traceIds.length, 2);
    assert.deepEqual(
      chain.links.map((link) => link.grade),
      [grade],
    );
  }
});

test('when several hops could have led to one, every candidate is returned and none is chosen', () => {
  const entries = new Entries();
  entries.hop({ service: 'worker', at: [1, 1, 90], source: { signal: 'span', vocabulary: 'otel-semconv' } });
  entries.hop({ service: 'worker', at: [1, 2, 91], source: { signal: 'span', vocabulary: 'otel-semconv' } });
  entries.hop({
    service: 'worker',
    side: 'caller',
    at: [1, 3, 77],
    source: { signal: 'span', vocabulary: 'otel-semconv' },
  });
  const chain = only(stitch(entries.all));
  assert.deepEqual(
    chain.links.map((link) => link.grade),
    ['ambiguous', 'ambiguous'],
  );
});

test('a log record and a span of the same end are one end; two spans with one id are two', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', at: [1, 1], digest: 'T', subject: user('dana') });
  entries.hop({ service: 'a', at: [1, 1], source: { signal: 'span', vocabulary: 'otel-semconv' } });
  assert.equal(only(stitch(entries.all)).hops.length, 1);
  entries.hop({ service: 'a', at: [1, 1], source: { signal: 'span', vocabulary: 'otel-semconv' }, operation: 'other' });
  assert.equal(only(stitch(entries.all)).hops.length, 2);
});

test('a client span around the HTTP library’s own is one crossing', () => {
  const entries = new Entries();
  const source = { signal: 'span' as const, vocabulary: 'otel-semconv' };
  entries.hop({ service: 'planner', side: 'caller', at: [1, 1], source, operation: 'execute_tool pay' });
  entries.hop({ service: 'planner', side: 'caller', at: [1, 2, 1], source });
  entries.hop({ service: 'payments', at: [1, 3, 2], source });
  const chain = only(stitch(entries.all));
  assert.deepEqual(path(chain), ['planner>payments']);
});

test('a cycle of parents ends, and every hop is still there', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'local', at: [1, 1, 2] });
  entries.hop({ service: 'a', side: 'local', at: [1, 2, 1] });
  assert.equal(only(stitch(entries.all)).hops.length, 2);
});

test('an empty set has no chains', () => assert.deepEqual(stitch([]), []));

test('actors are told by the account that knows them best, never mixed from several', () => {
  const entries = new Entries();
  entries.hop({
    service: 'a',
    side: 'caller',
    at: [1, 1],
    actors: [{ type: 'service', id: 'somebody', basis: 'attribute' }],
  });
  entries.hop({ service: 'b', at: [1, 2, 1], digest: 'T', actors: [agent('planner')], subject: user('dana') });
  assert.deepEqual(only(stitch(entries.all)).hops[0]?.actors, [agent('planner')]);
});

test('a callee that could continue two callers is paired with neither, and both are candidates', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'caller', at: [1, 7], operation: 'one' });
  entries.hop({ service: 'z', side: 'caller', at: [1, 7], operation: 'two' });
  entries.hop({ service: 'b', at: [1, 8, 7] });
  const chain = only(stitch(entries.all));
  const callee = chain.hops.find((hop) => hop.to?.name === 'b');
  assert.equal(callee?.from, null);
  assert.deepEqual(
    chain.links.map((link) => link.grade),
    ['ambiguous', 'ambiguous'],
  );
});

test('a callee shares its span id with its own caller, not with the caller above (B3 single-span style)', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'caller', at: [1, 1] });
  entries.hop({ service: 'b', at: [1, 1] });
  entries.hop({ service: 'b', side: 'caller', at: [1, 2, 1] });
  entries.hop({ service: 'c', at: [1, 2, 1] });
  assert.deepEqual(path(only(stitch(entries.all))), ['a>b', 'b>c']);
});

test('past a fork no token is followed: whose it was would be a guess', () => {
  const entries = new Entries();
  const plain = { signal: 'span' as const, vocabulary: 'otel-semconv' };
  entries.hop({ service: 'w', at: [1, 1], digest: 'T' });
  entries.hop({ service: 'w', at: [1, 1], digest: 'U', operation: 'other' });
  entries.hop({ service: 'w', side: 'local', at: [1, 2, 1], source: plain });
  entries.hop({ service: 'w', side: 'caller', at: [1, 3, 2], digest: 'T', verified: false });
  const chain = only(stitch(entries.all));
  const last = chain.hops.find((hop) => hop.from?.name === 'w' && hop.kind === 'crossing');
  assert.deepEqual(
    chain.links.filter((link) => link.to === last?.id).map((link) => link.grade),
    ['inferred'],
  );
});

test('two sides that name different tokens, which no exchange joins, are not corroborated by a name', () => {
  const entries = new Entries();
  const transport = { protocol: 'http' as const, peerService: 'b' };
  entries.hop({ service: 'a', side: 'caller', at: [1, 1], digest: 'T', verified: false, transport });
  entries.hop({ service: 'b', at: [1, 2, 1], digest: 'U' });
  const [hop] = only(stitch(entries.all)).hops;
  assert.equal(hop?.grade, 'inferred');
  assert.equal(hop?.disagreements.length, 1);
  entries.exchange({ tokenIn: digest('T'), tokenOut: digest('U') });
  assert.equal(only(stitch(entries.all)).hops[0]?.grade, 'proven');
});

test('an exchange further down proves nothing about the service that passed the token on', () => {
  const entries = new Entries();
  const plain = { signal: 'span' as const, vocabulary: 'otel-semconv' };
  entries.hop({ service: 'a', side: 'caller', at: [1, 1], digest: 'T', verified: false });
  entries.hop({ service: 'proxy', at: [1, 2, 1], source: plain });
  entries.hop({ service: 'proxy', side: 'caller', at: [1, 3, 2], source: plain });
  entries.hop({ service: 'b', at: [1, 4, 3], source: plain });
  entries.exchange({ at: [1, 5, 4], tokenIn: digest('T'), tokenOut: digest('U') });
  const grades = only(stitch(entries.all)).hops.map((hop) => `${hop.to?.name} ${hop.grade}`);
  assert.deepEqual(grades, ['proxy inferred', 'b inferred']);
});

test('an exchange refused because of the token itself proves nothing; one refused for its scope does', () => {
  for (const [reason, grade] of [
    ['invalid_request', 'inferred'],
    ['invalid_scope', 'proven'],
  ]) {
    const entries = new Entries();
    entries.hop({ service: 'a', side: 'caller', at: [1, 1], digest: 'T', verified: false });
    entries.hop({ service: 'b', at: [1, 2, 1], source: { signal: 'span', vocabulary: 'otel-semconv' } });
    entries.exchange({ at: [1, 3, 2], tokenIn: digest('T'), decision: { outcome: 'deny', reason: reason ?? '' } });
    assert.equal(only(stitch(entries.all)).hops[0]?.grade, grade);
  }
});

test('the same verified token in two traces joins one sender and one receiver, corroborated only where the sender names the receiver', () => {
  for (const [peerService, hops, grade] of [
    ['b', 1, 'corroborated'],
    [undefined, 1, 'asserted'],
    ['c', 2, undefined],
  ] as const) {
    const entries = new Entries();
    const transport = { protocol: 'http' as const, ...(peerService === undefined ? {} : { peerService }) };
    entries.hop({ service: 'a', side: 'caller', at: [1, 1], digest: 'T', verified: false, transport });
    entries.hop({ service: 'b', at: [2, 1], digest: 'T' });
    const all = stitch(entries.all).flatMap((chain) => chain.hops);
    assert.equal(all.length, hops);
    if (grade !== undefined) assert.equal(all[0]?.grade, grade);
  }
});

test('a message consumed in its own trace is joined by its span link; a batch has every sender as a cause', () => {
  const link = (trace: number, span: number) => ({
    traceId: traceOf([trace, span]).traceId,
    spanId: traceOf([trace, span]).spanId,
  });
  const one = new Entries();
  one.hop({ service: 'a', side: 'caller', at: [1, 1], transport: { protocol: 'messaging' } });
  one.hop({ service: 'b', trace: { ...traceOf([2, 1]), links: [link(1, 1)] } });
  assert.deepEqual(path(only(stitch(one.all))), ['a>b']);
  assert.equal(only(stitch(one.all)).hops[0]?.grade, 'asserted');
  const batch = new Entries();
  batch.hop({ service: 'a', side: 'caller', at: [1, 1], transport: { protocol: 'messaging' } });
  batch.hop({ service: 'c', side: 'caller', at: [2, 1], transport: { protocol: 'messaging' } });
  batch.hop({ service: 'b', trace: { ...traceOf([3, 1]), links: [link(1, 1), link(2, 1)] } });
  const chain = only(stitch(batch.all));
  assert.deepEqual(
    chain.links.map((each) => each.grade),
    ['asserted', 'asserted'],
  );
});

test('what a token does not disclose, and what an SDK dropped, is a gap', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', at: [1, 1], absent: { actors: 'not_disclosed', subject: 'dropped_by_sdk' } });
  assert.deepEqual(
    only(stitch(entries.all)).gaps.map((gap) => gap.kind),
    ['dropped_by_sdk', 'not_disclosed'],
  );
});

test('a call that carried no token discloses nothing and is no gap for it', () => {
  const entries = new Entries();
  const authority = { profile: 'none', verification: { status: 'absent' as const } };
  entries.hop({ service: 'a', at: [1, 1], authority, absent: { subject: 'not_disclosed' } });
  assert.deepEqual(only(stitch(entries.all)).gaps, []);
});

test('a chain whose last known step is inside a service that no boundary answered for is unknown, not permitted', () => {
  const entries = new Entries();
  const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };
  entries.hop({ service: 'gateway', at: [1, 1], digest: 'T', ...permit });
  entries.hop({ service: 'gateway', side: 'caller', at: [1, 2, 1] });
  entries.hop({ service: 'planner', at: [1, 3, 2], source: { signal: 'span', vocabulary: 'otel-semconv' } });
  entries.hop({ service: 'planner', side: 'local', at: [1, 4, 3] });
  assert.equal(only(stitch(entries.all)).verdict, 'unknown');
});

test('a call to the issuer is told by both sides when the issuer reports the exchange it answered in it', () => {
  for (const [peerService, grade] of [
    ['idp', 'corroborated'],
    ['other', 'inferred'],
  ] as const) {
    const entries = new Entries();
    entries.hop({ service: 'a', side: 'caller', at: [1, 2, 1], transport: { protocol: 'http', peerService } });
    entries.exchange({ at: [1, 3, 2], tokenIn: digest('T'), tokenOut: digest('U') });
    const chain = only(stitch(entries.all));
    assert.equal(chain.hops[0]?.grade, grade);
    assert.deepEqual(chain.hops[0]?.rests[0]?.entries, ['0', '1']);
    assert.ok(chain.gaps.every((gap) => gap.kind !== 'caller_without_callee'));
  }
});
