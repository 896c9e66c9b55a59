import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlastRadiusAnswer, FindingsAnswer, PartiesAnswer } from '#query';
import { agent, delegatedCall, digest, Entries, service, user } from '../chains/entries.ts';
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

test('backwards over observed use: every service and everyone that could have led to an effect, and what could not', async (t) => {
  const { get, take } = await testApi(t);
  const entries = delegatedCall();
  const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };
  const deny = { decision: { outcome: 'deny' as const }, outcome: { status: 'error' as const } };
  const call = (trace: number, from: string, to: string, told: typeof permit | typeof deny, resource?: string) => {
    entries.hop({ service: from, side: 'caller', at: [trace, 1], transport: { protocol: 'http', peerService: to } });
    entries.hop({ service: to, at: [trace, 2, 1], ...told, ...(resource === undefined ? {} : { resource }) });
  };
  call(7, 'books', 'archive', permit, 'archive:all');
  call(8, 'cron', 'payments', permit);
  call(9, 'tester', 'books', deny);
  call(10, 'elsewhere', 'nowhere', permit);
  await take(observationsOf(entries.all));
  const { possibleSources, actual } = await get<BlastRadiusAnswer>(
    reach('archive:all', '?kind=resource&direction=backward'),
  );
  assert.deepEqual(
    actual.services.map(({ what }) => what),
    ['books'],
  );
  assert.deepEqual(
    possibleSources?.sources.map(({ path }) => path.join('>')),
    [
      'books>archive',
      'payments>books>archive',
      'cron>payments>books>archive',
      'planner>payments>books>archive',
      'gateway>planner>payments>books>archive',
    ],
  );
  const payments = possibleSources?.sources[1];
  assert.deepEqual(
    payments?.parties.map(({ id }) => id),
    ['dana', 'gateway', 'planner', 'payments'],
  );
  assert.match(possibleSources?.sources[3]?.why ?? '', /payments let planner pass with invoice\.pay/);
  assert.match(possibleSources?.stopped[0]?.says ?? '', /books refused every call that was seen of tester/);
  assert.equal(possibleSources?.complete, true);
});

test('findings name persons where the reader may open them', async (t) => {
  const { get, take } = await testApi(t);
  const entries = new Entries();
  const dana = user('dana');
  entries.revocation({ target: { party: dana }, effect: 'revoked', time: '1793430000000000000' });
  const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };
  entries.hop({ service: 'vault', at: [1, 1], digest: 'A', subject: dana, ...permit });
  await take(observationsOf(entries.all));
  const { findings } = await get<FindingsAnswer>('/api/v1/findings?finding=after_offboarding');
  assert.match(findings[0]?.finding.says ?? '', /went through for user dana after its offboarding/);
  assert.doesNotMatch(JSON.stringify(findings), /p_[0-9a-f]{32}/);
});

test('the inventory tells which credentials are shared and with whom, the keys behind them, and who is offboarded', async (t) => {
  const { get, take } = await testApi(t);
  const entries = new Entries();
  const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };
  for (const [i, name] of ['a', 'b'].entries()) {
    const span = 10 * i;
    const given = { digest: 'K', subject: service('robot') };
    entries.hop({ service: name, side: 'caller', at: [i + 1, span + 1], verified: false, ...given });
    entries.hop({ service: 'vault', at: [i + 1, span + 2, span + 1], ...given, ...permit });
  }
  const authority = {
    profile: 'api-key',
    digest: digest('L'),
    verification: { status: 'verified' as const, keyId: 'k-7' },
  };
  for (const [i, id] of ['left', 'right'].entries())
    entries.hop({ service: 'vault', at: [5 + i, 1], subject: service(id), authority, ...permit });
  entries.revocation({ target: { party: service('left') }, effect: 'revoked', time: '1793439700000000000' });
  await take(observationsOf(entries.all));
  const { parties } = await get<PartiesAnswer>('/api/v1/parties');
  const known = (id: string) => parties.find((each) => each.id === id) ?? assert.fail(id);
  assert.deepEqual(known('robot').sharedCredentials, [
    { digest: digest('K'), parties: ['service|https://idp|robot'], workloads: ['a', 'b'] },
  ]);
  const both = ['service|https://idp|left', 'service|https://idp|right'];
  assert.deepEqual(
    known('left').sharedCredentials.map(({ digest: of, parties: who }) => [of, who]),
    [[digest('L'), both]],
  );
  assert.deepEqual([known('left').credentials, known('left').keys], [[digest('L')], ['k-7']]);
  assert.deepEqual([known('left').revokedAt, known('right').revokedAt], ['1793439700000000000', null]);
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
