import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Chain, joinKeysOf, stitch } from '#chains';
import { digest, Entries, user } from './entries.ts';

const only = (chains: readonly Chain[]): Chain => {
  assert.equal(chains.length, 1, `${chains.length} chains`);
  return chains[0] ?? assert.fail();
};
const source = { signal: 'span' as const, vocabulary: 'otel-semconv' };
const says = (chain: Chain) => chain.hops.map(({ grade, rests }) => `${grade}: ${rests[0]?.says}`);

test('a message is one crossing in two traces: inferred by its id alone, more only by what both sides say besides', () => {
  const transport = { protocol: 'messaging' as const, messageId: 'm-1' };
  for (const [sent, received, grade] of [
    [{}, {}, 'inferred'],
    [{ peerService: 'worker' }, {}, 'corroborated'],
    [{ subject: user('dana') }, { subject: user('dana') }, 'corroborated'],
    [{ digest: 'T', verified: false }, { digest: 'T' }, 'proven'],
    [{ digest: 'T', verified: false }, { digest: 'U' }, 'inferred'],
    [{ digest: 'T', verified: false, peerService: 'other' }, { digest: 'T' }, 'inferred'],
    [{ digest: 'T', verified: false, resource: 'jobs' }, { digest: 'T', resource: 'mails' }, 'inferred'],
  ] as const) {
    const entries = new Entries();
    const { peerService, ...rest } = { peerService: undefined, ...sent };
    const named = peerService === undefined ? transport : { ...transport, peerService };
    entries.hop({ service: 'shop', side: 'caller', at: [1, 1], transport: named, ...rest });
    entries.hop({ service: 'worker', at: [2, 1], transport, ...received });
    const chain = only(stitch(entries.all));
    assert.equal(chain.hops.length, 1);
    assert.equal(chain.hops[0]?.grade, grade, says(chain).join());
    assert.deepEqual(chain.hops[0]?.rests[0]?.entries.slice(0, 2), ['0', '1']);
  }
});

test('one message has many readers, one call has one answer', () => {
  for (const [protocol, crossings] of [
    ['messaging', 2],
    ['a2a', 0],
  ] as const) {
    const entries = new Entries();
    const transport = { protocol, messageId: 'm-1' };
    entries.hop({ service: 'shop', side: 'caller', at: [1, 1], transport });
    entries.hop({ service: 'worker', at: [2, 1], transport });
    entries.hop({ service: 'mailer', at: [3, 1], transport });
    const chain = only(stitch(entries.all));
    assert.equal(chain.hops.filter(({ from, to }) => from !== null && to?.reported === true).length, crossings);
    if (protocol === 'a2a') assert.deepEqual(new Set(chain.links.map(({ grade }) => grade)), new Set(['inferred']));
  }
});

test('a message that two calls claim to have sent has both as candidates', () => {
  const entries = new Entries();
  const transport = { protocol: 'a2a' as const, messageId: 'm-1' };
  entries.hop({ service: 'left', side: 'caller', at: [1, 1], transport });
  entries.hop({ service: 'right', side: 'caller', at: [2, 1], transport });
  entries.hop({ service: 'helper', at: [3, 1], transport });
  const { links } = only(stitch(entries.all));
  assert.deepEqual(
    links.map(({ grade, rests }) => `${grade}: ${rests[0]?.says}`),
    ['ambiguous: a call of the same message id', 'ambiguous: a call of the same message id'],
  );
});

test('a JSON-RPC id names a request only inside its session', () => {
  const call = (session: string) => ({ protocol: 'mcp' as const, requestId: '1', conversation: session });
  const entries = new Entries();
  entries.hop({ service: 'planner', side: 'caller', at: [1, 1], source, transport: call('s1') });
  entries.hop({ service: 'planner', side: 'caller', at: [2, 1], source, transport: call('s2') });
  entries.hop({ service: 'tools', at: [3, 1], source, transport: call('s2') });
  const chains = stitch(entries.all);
  assert.equal(chains.length, 2);
  const crossed = chains.flatMap(({ hops }) => hops).filter(({ calleeEntries }) => calleeEntries.length > 0);
  assert.deepEqual(
    crossed.map(({ callerEntries, calleeEntries }) => [...callerEntries, ...calleeEntries]),
    [['1', '2']],
  );
  const { entry } = entries.hop({ service: 'x', transport: { protocol: 'mcp', requestId: '1' } });
  assert.deepEqual(joinKeysOf(entry), []);
});

test('a conversation leads from what its service was serving to a call that says nothing of its cause, never above inferred', () => {
  const transport = { protocol: 'agent' as const, conversation: 'c-1' };
  const entries = new Entries();
  entries.hop({ service: 'planner', at: [1, 1], digest: 'T', transport });
  entries.hop({ service: 'other', at: [2, 1], digest: 'U', transport });
  entries.hop({ service: 'planner', side: 'caller', at: [3, 1], transport });
  const [chain] = stitch(entries.all).filter(({ links }) => links.length > 0);
  assert.deepEqual(
    chain?.links.map(({ grade, rests }) => `${grade}: ${rests[0]?.says}`),
    ['inferred: the same conversation, the same service'],
  );
  entries.hop({ service: 'planner', at: [4, 1], transport });
  const grades = stitch(entries.all).flatMap(({ links }) => links.map(({ grade }) => grade));
  assert.deepEqual(grades, ['ambiguous', 'ambiguous']);
});

test('a conversation joins no two requests of it to each other', () => {
  const entries = new Entries();
  const transport = { protocol: 'http' as const, conversation: 'c-1' };
  for (const trace of [1, 2, 3]) entries.hop({ service: 'planner', at: [trace, 1], transport });
  assert.equal(stitch(entries.all).length, 3);
});

test('a verified token that names its parent is followed to it as an exchange is, by issuer and id alone', () => {
  for (const [issuer, verified, grade] of [
    ['https://idp', true, 'proven'],
    ['https://other', true, 'asserted'],
    ['https://idp', false, 'asserted'],
  ] as const) {
    const entries = new Entries();
    const cause = { traceId: '1'.padStart(32, '0'), spanId: '1'.padStart(16, '0') };
    const child = (status: 'verified' | 'unverified') => ({
      ...{ profile: 'delegation', digest: digest('U'), issuer, id: 'g2', parentId: 'g1' },
      verification: { status },
    });
    entries.hop({
      ...{
        service: 'a',
        at: [1, 1],
        authority: { ...child('verified'), issuer: 'https://idp', digest: digest('T'), id: 'g1' },
      },
    });
    entries.hop({ service: 'a', side: 'caller', at: [1, 2, 1], cause, authority: child('unverified') });
    entries.hop({ service: 'b', at: [1, 3, 2], authority: child(verified ? 'verified' : 'unverified') });
    const [link] = only(stitch(entries.all)).links;
    assert.equal(link?.grade, grade, link?.rests[0]?.says);
    if (grade === 'proven') assert.deepEqual(link?.rests[0]?.entries, ['0', '2', '1', '2']);
  }
});

test('a token that names its parent in another trace is asserted: where it was passed on was not seen', () => {
  const entries = new Entries();
  const authority = (token: string, id: string, parentId?: string) => ({
    ...{ profile: 'delegation', digest: digest(token), issuer: 'https://idp', id },
    ...(parentId === undefined ? {} : { parentId }),
    verification: { status: 'verified' as const },
  });
  entries.hop({ service: 'a', at: [1, 1], authority: authority('T', 'g1') });
  entries.hop({ service: 'b', at: [2, 1], authority: authority('U', 'g2', 'g1') });
  const chain = only(stitch(entries.all));
  assert.deepEqual(
    chain.links.map(({ grade, rests }) => `${grade}: ${rests[0]?.says}`),
    ['asserted: its verified token names this hop’s token as its parent; by whom it was passed on was not seen'],
  );
});
