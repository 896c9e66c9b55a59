import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlastRadiusAnswer, PartiesAnswer } from '#query';
import { agent, delegatedCall, digest, Entries } from '../chains/entries.ts';
import { observationsOf, testApi } from './api.ts';

const PLANNER = encodeURIComponent('ai_agent|https://idp|planner');
const reach = (key: string, more = '') => `/api/v1/parties/${key}/blast-radius${more}`;

test('a blast radius names what was reached, whose authority was used, and what could have been reached besides', async (t) => {
  const { get, take } = await testApi(t);
  const entries = delegatedCall();
  delegatedCall(entries, 2);
  entries.hop({
    service: 'books',
    side: 'caller',
    at: [7, 1],
    transport: { protocol: 'http', peerService: 'archive' },
  });
  entries.hop({ service: 'archive', at: [7, 2, 1], resource: 'archive:all', outcome: { status: 'ok' } });
  await take(observationsOf(entries.all));
  const answer = await get<BlastRadiusAnswer>(reach(PLANNER));
  assert.deepEqual(
    answer.actual.services.map(({ what, hops }) => [what, hops]),
    [
      ['payments', 2],
      ['books', 2],
    ],
  );
  assert.deepEqual(
    answer.actual.parties.map(({ what }) => what.id),
    ['dana'],
  );
  assert.match(answer.actual.services[0]?.checkedBy ?? '', /payments verified the token/);
  assert.deepEqual(
    answer.possible?.reached.map(({ service, path }) => [service, path.join('>')]),
    [['archive', 'books>archive']],
  );
  assert.deepEqual(answer.possible?.reached[0]?.resources, ['archive:all']);
  assert.equal(answer.completeness.bounded, false);
  const byId = await get<BlastRadiusAnswer>(reach('planner'));
  assert.deepEqual(byId.actual, answer.actual, 'an id alone finds the same party');
  const late = await get<BlastRadiusAnswer>(reach(PLANNER, '?from=2027-01-01T00:00:00Z'));
  assert.deepEqual([late.actual.chains, late.actual.services], [0, []]);
});

test('tokens, services and resources have a blast radius, and backwards what led to an effect is named', async (t) => {
  const { get, take } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const named = (answer: BlastRadiusAnswer) => answer.actual.services.map(({ what }) => what);
  assert.deepEqual(named(await get(reach(digest('T31'), '?kind=token'))), ['payments', 'books']);
  assert.deepEqual(named(await get(reach('gateway', '?kind=service'))), ['planner', 'payments', 'books']);
  const back = await get<BlastRadiusAnswer>(reach('books', '?kind=service&direction=backward'));
  assert.deepEqual(named(back), ['payments', 'planner', 'gateway']);
  assert.ok(back.actual.parties.some(({ what }) => what.id === 'dana'));
  assert.equal(back.possible, null);
});

test('a refused boundary stands in the answer, and a token itself is never taken as a key', async (t) => {
  const { get, take, problem } = await testApi(t);
  const entries = new Entries();
  const token = { digest: 'T', actors: [agent('planner')] };
  entries.hop({ service: 'a', side: 'caller', at: [1, 1], ...token, verified: false });
  const refused = { decision: { outcome: 'deny' as const, reason: 'no' }, outcome: { status: 'error' as const } };
  entries.hop({ service: 'b', at: [1, 2, 1], ...token, ...refused });
  await take(observationsOf(entries.all));
  const answer = await get<BlastRadiusAnswer>(reach(PLANNER));
  assert.deepEqual(
    answer.actual.stopped.map(({ says }) => says),
    ['a → b: refused: no'],
  );
  const { is, detail } = await problem(reach('eyJhbGciOi', '?kind=token'));
  assert.equal(is, '400 invalid_parameter');
  assert.doesNotMatch(detail, /eyJ/);
});

test('the inventory says of each agent and service for whom it acts, what it holds and never needed, and when last', async (t) => {
  const { get, take } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const { parties } = await get<PartiesAnswer>('/api/v1/parties');
  assert.deepEqual(parties.map(({ id }) => id).filter((id) => id === 'planner').length > 0, true);
  const planner = parties.find(({ key }) => key === 'ai_agent|https://idp|planner') ?? assert.fail();
  assert.deepEqual(planner.onBehalfOf, ['service|https://idp|gateway']);
  assert.deepEqual([planner.targets, planner.scopesUsed, planner.scopesUnused], [['payments'], ['invoice.pay'], []]);
  const payments = parties.find(({ key }) => key === 'service|https://idp|payments') ?? assert.fail();
  assert.deepEqual([payments.hosts, payments.scopesUnused, payments.days], [['127.0.0.1'], ['invoice.pay'], 1]);
  for (const { type } of parties) assert.notEqual(type, 'user');
  const agents = await get<PartiesAnswer>('/api/v1/parties?type=ai_agent');
  assert.deepEqual(
    agents.parties.map(({ id }) => id),
    ['planner'],
  );
  assert.deepEqual((await get<PartiesAnswer>('/api/v1/parties?silentSince=2020-01-01T00:00:00Z')).parties, []);
  const paged: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await get<PartiesAnswer>(`/api/v1/parties?limit=1${cursor}`);
    paged.push(...page.parties.map(({ key }) => key));
    if (page.next === null) break;
    cursor = `&cursor=${page.next}`;
  }
  assert.deepEqual(
    paged,
    parties.map(({ key }) => key),
  );
});
