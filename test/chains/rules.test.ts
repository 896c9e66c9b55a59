import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Chain, DEFAULT_THRESHOLDS, RULES, stitch } from '#chains';
import { agent, delegatedCall, digest, Entries, service, user } from './entries.ts';

const dana = user('dana');
const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };
const deny = {
  decision: { outcome: 'deny' as const, reason: 'insufficient_scope' },
  outcome: { status: 'error' as const },
};
const rules = (chain: Chain | undefined): string[] =>
  [...new Set(chain?.findings.map((finding) => finding.rule))].toSorted();
const chainsOf = (entries: Entries) => stitch(entries.all);

test('rule ids are unique and every rule names its OWASP ids', () => {
  assert.equal(new Set(RULES.map((rule) => rule.id)).size, RULES.length);
  for (const rule of RULES) assert.ok(rule.owasp.length > 0, rule.id);
});

test('a permitted delegation has no finding but the plain agent’s silence about verification', () => {
  const [chain] = chainsOf(delegatedCall());
  assert.deepEqual(
    rules(chain).filter((rule) => rule !== 'boundary_not_disclosed'),
    [],
  );
});

test('scope widened along the chain is excessive, and narrowing is not', () => {
  for (const [held, next, expected] of [
    [['a'], ['a', 'b'], true],
    [['a', 'b'], ['a'], false],
    [['a'], ['a'], false],
  ] as const) {
    const entries = new Entries();
    entries.hop({ service: 'x', at: [1, 1], digest: 'in', scopes: held, subject: dana, ...permit });
    const actors = [service('x')];
    entries.hop({ service: 'x', side: 'caller', at: [1, 2, 1], digest: 'out', scopes: next, subject: dana, actors });
    entries.hop({ service: 'y', at: [1, 3, 2], digest: 'out', scopes: next, subject: dana, actors, ...permit });
    const [chain] = chainsOf(entries);
    assert.equal(rules(chain).includes('scope_widened'), expected);
    assert.equal(chain?.verdict, expected ? 'excessive' : 'permitted');
  }
});

test('a scope of another issuer or of another subject is not compared', () => {
  const entries = new Entries();
  entries.hop({ service: 'x', at: [1, 1], digest: 'in', scopes: ['a'], subject: dana, ...permit });
  entries.hop({ service: 'x', side: 'caller', at: [1, 2, 1], digest: 'own', scopes: ['b'], subject: service('x') });
  entries.hop({ service: 'y', at: [1, 3, 2], digest: 'own', scopes: ['b'], subject: service('x'), ...permit });
  assert.deepEqual(rules(chainsOf(entries)[0]).includes('scope_widened'), false);
});

test('asking for more than one holds is excessive though it was refused, at a boundary and at the issuer', () => {
  const entries = new Entries();
  entries.hop({ service: 'x', at: [1, 1], digest: 'in', scopes: ['a'], requiredScopes: ['b'], subject: dana, ...deny });
  entries.exchange({
    at: [1, 2, 1],
    tokenIn: digest('in'),
    scopesHeld: ['a'],
    scopesRequested: ['a', 'b'],
    decision: { outcome: 'deny', reason: 'invalid_scope' },
  });
  const [chain] = chainsOf(entries);
  assert.equal(chain?.findings.filter((finding) => finding.rule === 'scope_exceeded').length, 2);
  assert.equal(chain?.verdict, 'excessive');
});

test('a plain refusal is denied, not excessive', () => {
  const entries = new Entries();
  entries.hop({
    service: 'x',
    at: [1, 1],
    digest: 'in',
    scopes: ['a'],
    subject: dana,
    decision: { outcome: 'deny', reason: 'closed on Sundays' },
    outcome: { status: 'error' },
  });
  assert.equal(chainsOf(entries)[0]?.verdict, 'denied');
});

test('a call let through with an unchecked, failed or missing credential is suspicious', () => {
  for (const status of ['failed', 'unverified', 'absent'] as const) {
    const entries = new Entries();
    entries.hop({
      service: 'x',
      at: [1, 1],
      authority: { profile: 'jwt-access-token', verification: { status } },
      ...permit,
    });
    assert.deepEqual(
      [rules(chainsOf(entries)[0]), chainsOf(entries)[0]?.verdict],
      [['unverified_boundary'], 'suspicious'],
    );
  }
});

test('a call refused for its credential is not a crossed boundary', () => {
  const entries = new Entries();
  entries.hop({
    service: 'x',
    at: [1, 1],
    authority: { profile: 'jwt-access-token', verification: { status: 'failed' } },
    ...deny,
  });
  assert.deepEqual(rules(chainsOf(entries)[0]), []);
});

test('an effect after a denial is suspicious: success in spite of it, or a call it led to', () => {
  const succeeded = new Entries();
  succeeded.hop({ service: 'x', at: [1, 1], digest: 'in', ...deny, outcome: { status: 'ok' } });
  const ledOn = new Entries();
  ledOn.hop({ service: 'x', at: [1, 1], digest: 'in', ...deny });
  ledOn.hop({ service: 'x', side: 'caller', at: [1, 2, 1], digest: 'in', verified: false, outcome: { status: 'ok' } });
  ledOn.hop({ service: 'y', at: [1, 3, 2], outcome: { status: 'ok' } });
  for (const entries of [succeeded, ledOn]) assert.ok(rules(chainsOf(entries)[0]).includes('denied_but_effected'));
});

test('what a guard fetches for itself before it refuses is no effect', () => {
  const entries = new Entries();
  entries.hop({ service: 'x', at: [1, 1], digest: 'in', ...deny });
  entries.hop({ service: 'x', side: 'caller', at: [1, 2, 1], operation: 'GET /jwks', outcome: { status: 'ok' } });
  assert.deepEqual(rules(chainsOf(entries)[0]), []);
});

test('the caller’s own unverified authority is not a crossed boundary, and its word is not the callee’s verification', () => {
  const entries = new Entries();
  entries.hop({ service: 'x', side: 'caller', at: [1, 1], digest: 'T', verified: false });
  entries.hop({ service: 'y', at: [1, 2, 1], ...permit });
  assert.deepEqual(rules(chainsOf(entries)[0]), ['boundary_not_disclosed']);
  const boasting = new Entries();
  boasting.hop({ service: 'x', side: 'caller', at: [1, 1], digest: 'T', verified: true });
  boasting.hop({ service: 'y', at: [1, 2, 1], ...permit });
  assert.equal(chainsOf(boasting)[0]?.verdict, 'unknown');
  const overruled = new Entries();
  overruled.hop({ service: 'x', side: 'caller', at: [1, 1], digest: 'T', verified: true });
  overruled.hop({
    service: 'y',
    at: [1, 2, 1],
    authority: { profile: 'jwt-access-token', verification: { status: 'failed' } },
    ...permit,
  });
  assert.ok(rules(chainsOf(overruled)[0]).includes('unverified_boundary'));
});

test('a delegated call with one lost report is a gap and not an orphan', () => {
  const entries = new Entries();
  entries.hop({ service: 'books', at: [1, 2, 1], digest: 'T', subject: dana, actors: [agent('planner')], ...permit });
  const [chain] = chainsOf(entries);
  assert.deepEqual(rules(chain), []);
  assert.deepEqual(
    chain?.gaps.map((gap) => gap.kind),
    ['callee_without_caller'],
  );
});

test('a person who changes networks does not share a credential', () => {
  const entries = new Entries();
  for (const [i, host] of ['192.0.2.1', '198.51.100.7'].entries()) {
    const transport = { protocol: 'http' as const, peerAddress: `${host}:443` };
    entries.hop({ service: 'gateway', at: [i + 1, 1], digest: 'T', subject: dana, transport, ...permit });
  }
  assert.ok(chainsOf(entries).every((chain) => chain.verdict === 'permitted'));
});

test('delegated authority in a call that nothing led to is an orphan; a user’s own call is not', () => {
  const entries = new Entries();
  entries.hop({ service: 'books', at: [1, 1], digest: 'T', subject: dana, actors: [agent('planner')], ...permit });
  assert.deepEqual(rules(chainsOf(entries)[0]), ['orphan_hop']);
  const own = new Entries();
  own.hop({ service: 'gateway', at: [1, 1], digest: 'T', subject: dana, ...permit });
  assert.deepEqual(rules(chainsOf(own)[0]), []);
});

test('a stolen token replayed from another host is a chain of its own, suspicious, and the rightful chain is named in it', () => {
  const entries = delegatedCall();
  const actors = [service('gateway'), agent('planner'), service('payments')];
  entries.hop({
    service: 'books',
    at: [9, 1],
    digest: 'T41',
    scopes: ['invoice.pay'],
    subject: dana,
    actors,
    transport: { protocol: 'http', peerAddress: '127.0.0.66:9' },
    ...permit,
  });
  const chains = chainsOf(entries);
  assert.equal(chains.length, 2);
  const replay = chains.find((chain) => chain.hops.length === 1);
  assert.deepEqual(rules(replay), ['orphan_hop', 'shared_credential', 'token_replayed']);
  assert.equal(replay?.verdict, 'suspicious');
  assert.match(replay?.reason ?? '', /came again/, 'the worst finding gives the reason');
  assert.equal(chains.find((chain) => chain !== replay)?.verdict, 'permitted', 'the robbed are not to blame');
  assert.match(
    replay?.findings.find((finding) => finding.rule === 'token_replayed')?.says ?? '',
    /from 127\.0\.0\.66 instead of 127\.0\.0\.1/,
  );
});

test('the same token from the same host with one report lost is a gap, not a replay', () => {
  const entries = delegatedCall();
  entries.hop({
    service: 'books',
    at: [1, 20, 19],
    digest: 'T41',
    subject: dana,
    actors: [service('payments')],
    transport: { protocol: 'http', peerAddress: '127.0.0.1:4712' },
    ...permit,
  });
  const [chain] = chainsOf(entries);
  assert.deepEqual(
    rules(chain).filter((rule) => rule === 'token_replayed' || rule === 'shared_credential'),
    [],
  );
});

test('one token sent by two services is a shared credential; passed on along the chain it is not', () => {
  const shared = new Entries();
  for (const [i, from] of ['a', 'b'].entries()) {
    shared.hop({ service: from, side: 'caller', at: [i + 1, 1], digest: 'T', verified: false });
    shared.hop({ service: 'y', at: [i + 1, 2, 1], digest: 'T', ...permit });
  }
  assert.ok(chainsOf(shared).every((chain) => rules(chain).includes('shared_credential')));
  const passed = new Entries();
  passed.hop({ service: 'a', side: 'caller', at: [1, 1], digest: 'T', verified: false });
  passed.hop({ service: 'b', at: [1, 2, 1], digest: 'T', ...permit });
  passed.hop({ service: 'b', side: 'caller', at: [1, 3, 2], digest: 'T', verified: false });
  passed.hop({ service: 'c', at: [1, 4, 3], digest: 'T', ...permit });
  assert.equal(
    chainsOf(passed).some((chain) => rules(chain).includes('shared_credential')),
    false,
  );
});

test('a gateway that passes on the very token it was called with neither replays nor shares it', () => {
  const entries = new Entries();
  const token = { digest: 'T', scopes: ['a'], subject: dana, actors: [agent('planner')] };
  const from = (peerAddress: string) => ({ transport: { protocol: 'http' as const, peerAddress } });
  entries.hop({ service: 'gateway', at: [1, 2, 1], ...token, ...from('192.0.2.9:1'), ...permit });
  entries.hop({ service: 'gateway', side: 'local', at: [1, 3, 2], transport: { protocol: 'agent' } });
  entries.hop({ service: 'gateway', side: 'caller', at: [1, 4, 3], ...token, verified: false });
  entries.hop({ service: 'books', at: [1, 5, 4], ...token, ...from('10.0.0.2:1'), ...permit });
  const [chain, ...others] = chainsOf(entries);
  assert.deepEqual([others.length, rules(chain), chain?.verdict], [0, [], 'permitted']);
});

test('every rule says what it means, what clears it and how it can be wrong', () => {
  for (const { id, meaning, clears, wrong } of RULES)
    for (const text of [meaning, clears, wrong]) assert.match(text, /^\p{Lu}.+\.$/u, id);
});

test('every finding names the version of the thresholds that judged', () => {
  const entries = new Entries();
  entries.hop({ service: 'x', at: [1, 1], digest: 'in', ...deny, outcome: { status: 'ok' } });
  const versions = (thresholds?: typeof DEFAULT_THRESHOLDS) =>
    stitch(entries.all, thresholds && { thresholds }).flatMap((chain) => chain.findings.map((each) => each.thresholds));
  assert.deepEqual([...new Set(versions())], [DEFAULT_THRESHOLDS.version]);
  assert.deepEqual([...new Set(versions({ ...DEFAULT_THRESHOLDS, version: 'acme-7' }))], ['acme-7']);
});
