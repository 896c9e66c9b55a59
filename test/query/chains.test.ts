import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainAnswer, ChainsAnswer, FindingsAnswer, HopsAnswer } from '#query';
import { agent, delegatedCall, Entries, service, traceOf, user } from '../chains/entries.ts';
import { observationsOf, testApi } from './api.ts';

const TRACE = traceOf([1, 1]).traceId;

test('a chain is answered by its id, its trace, and any observation in it, with persons by name', async (t) => {
  const { take, get } = await testApi(t);
  const observations = observationsOf(delegatedCall().all);
  await take(observations);
  const { chain, log } = await get<ChainAnswer>(`/api/v1/chains/${TRACE}`);
  assert.equal(chain.verdict, 'permitted', chain.reason);
  assert.deepEqual([chain.subject?.id, chain.subject?.issuer], ['dana', 'https://idp']);
  assert.match(chain.subject?.key ?? '', /^p_[0-9a-f]{32}$/);
  assert.deepEqual(
    chain.actors.map((actor) => actor.id),
    ['gateway', 'planner', 'payments'],
  );
  assert.deepEqual([log.treeSize, log.published], ['11', '11']);
  for (const id of [chain.id, ...observations.map((each) => each.id)]) {
    assert.deepEqual((await get<ChainAnswer>(`/api/v1/chains/${id}`)).chain, chain);
  }
});

test('a chain keeps being found by the name it had before older entries came', async (t) => {
  const { take, get } = await testApi(t);
  const [first, ...rest] = observationsOf(delegatedCall().all);
  await take(rest);
  const before = (await get<ChainAnswer>(`/api/v1/chains/${TRACE}`)).chain.id;
  await take(first === undefined ? [] : [first]);
  const after = (await get<ChainAnswer>(`/api/v1/chains/${before}`)).chain.id;
  assert.notEqual(after, before);
});

test('a transaction id finds its chain, and where two issuers used the same one, both are named', async (t) => {
  const { take, get, problem } = await testApi(t);
  const entries = new Entries();
  const under = (issuer: string) => ({
    authority: {
      profile: 'txn-token',
      transaction: 'txn/1 ü',
      issuer,
      verification: { status: 'verified' as const },
    },
  });
  entries.hop({ service: 'a', at: [1, 1], ...under('https://one') });
  entries.hop({ service: 'b', at: [2, 1], ...under('https://one') });
  await take(observationsOf(entries.all));
  const path = `/api/v1/chains/${encodeURIComponent('txn/1 ü')}`;
  assert.equal((await get<ChainAnswer>(path)).chain.hops.length, 2);
  entries.hop({ service: 'c', at: [3, 1], ...under('https://two') });
  await take(observationsOf(entries.all.slice(2)));
  const { is, detail } = await problem(path);
  assert.equal(is, '409 several_chains');
  assert.equal(detail.match(/c_[0-9a-f]{32}/g)?.length, 2);
});

test('every filter keeps what fits and nothing else', async (t) => {
  const { take, get } = await testApi(t);
  const entries = delegatedCall();
  entries.hop({
    service: 'mail',
    at: [2, 1],
    digest: 'M',
    scopes: ['mail.send'],
    requiredScopes: ['mail.send.all'],
    resource: 'https://mail.example/outbox',
    subject: user('erin'),
    actors: [agent('writer')],
    decision: { outcome: 'deny', reason: 'insufficient_scope' },
    outcome: { status: 'error' },
    time: '1793440000000000000',
  });
  await take(observationsOf(entries.all));
  const mail = (await get<ChainAnswer>(`/api/v1/chains/${traceOf([2, 1]).traceId}`)).chain;
  const pay = (await get<ChainAnswer>(`/api/v1/chains/${TRACE}`)).chain;
  const cases: Record<string, readonly (typeof mail)[]> = {
    '': [mail, pay],
    'subject=erin': [],
    'subject=https://idp|erin': [mail],
    'subject=user|https://idp|erin': [mail],
    [`subject=${mail.subject?.key}`]: [mail],
    'subject=https://idp|dana': [pay],
    'subject=https://idp|nobody': [],
    'actor=planner': [pay],
    'actor=https://idp|planner': [pay],
    'actor=ai_agent|https://idp|writer': [mail],
    'actor=service|https://idp|writer': [],
    'actor=plan': [],
    'service=books': [pay],
    'service=book': [],
    'resource=https://mail.example/outbox': [mail],
    'scope=invoice.pay': [pay],
    'scope=mail.send': [mail],
    'verdict=permitted': [pay],
    'verdict=suspicious': [mail],
    'finding=scope_exceeded': [mail],
    'finding=token_replayed': [],
    'from=2026-10-31T09:46:40Z': [mail],
    'to=2026-10-31T09:46:40Z': [pay],
    'from=1793440000000000000&to=1793440000000000001': [mail],
    'from=2026-10-31T10:41:40.000000001%2B01:00&verdict=permitted': [pay],
    'actor=planner&verdict=suspicious': [],
  };
  for (const [query, expected] of Object.entries(cases)) {
    const { chains } = await get<ChainsAnswer>(`/api/v1/chains?${query}`);
    assert.deepEqual(
      chains.map(({ id }) => id),
      expected.map(({ id }) => id),
      query,
    );
  }
});

test('pages hold every chain once, newest first', async (t) => {
  const { take, get } = await testApi(t);
  const entries = new Entries();
  for (let n = 1; n <= 7; n += 1)
    entries.hop({ service: 'a', at: [n, 1], time: String(1_793_440_000n + BigInt(n % 3)) });
  await take(observationsOf(entries.all));
  const all = await get<ChainsAnswer>('/api/v1/chains');
  assert.equal(all.next, null);
  const times = all.chains.map((chain) => chain.from);
  assert.deepEqual(times, times.toSorted().toReversed());
  for (const limit of [1, 2, 3, 6, 7]) {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: ChainsAnswer = await get(`/api/v1/chains?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      assert.ok(page.chains.length > 0 && page.chains.length <= limit);
      seen.push(...page.chains.map(({ id }) => id));
      cursor = page.next;
    }
    assert.deepEqual(
      seen,
      all.chains.map(({ id }) => id),
    );
  }
});

test('hops and findings are listed with the chain they are in', async (t) => {
  const { take, get } = await testApi(t);
  const entries = delegatedCall();
  entries.hop({ service: 'books', at: [9, 1], digest: 'X', subject: user('dana'), actors: [service('payments')] });
  await take(observationsOf(entries.all));
  const { hops } = await get<HopsAnswer>('/api/v1/hops?service=payments');
  assert.deepEqual(
    hops.map(({ hop }) => `${hop.from?.name}>${hop.to?.name}`),
    ['payments>books', 'planner>payments'],
  );
  assert.equal(hops[0]?.hop.subject?.id, 'dana');
  const { findings } = await get<FindingsAnswer>('/api/v1/findings?finding=orphan_hop');
  assert.deepEqual(
    findings.map(({ finding }) => finding.rule),
    ['orphan_hop'],
  );
  const page = await get<HopsAnswer>('/api/v1/hops?limit=2');
  const rest = await get<HopsAnswer>(`/api/v1/hops?cursor=${page.next}`);
  assert.equal(page.hops.length + rest.hops.length, 6);
});

test('an erased person is null and everything else of the chain stays', async (t) => {
  const { take, get, database } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const before = (await get<ChainAnswer>(`/api/v1/chains/${TRACE}`)).chain;
  await database.pool('owner').query('delete from behalf.person');
  const { chain } = await get<ChainAnswer>(`/api/v1/chains/${TRACE}`);
  assert.equal(chain.subject?.id, null);
  assert.equal(chain.subject?.key, before.subject?.key);
  const nameless = JSON.parse(JSON.stringify(before).replaceAll('"id":"dana"', '"id":null'));
  assert.deepEqual(chain, nameless);
  assert.deepEqual((await get<ChainsAnswer>('/api/v1/chains?subject=https://idp|dana')).chains, []);
});

test('an empty log has no chains and says so', async (t) => {
  const { get, problem } = await testApi(t);
  assert.deepEqual((await get<ChainsAnswer>('/api/v1/chains')).chains, []);
  assert.equal((await problem(`/api/v1/chains/${TRACE}`)).is, '404 chain_not_found');
});
