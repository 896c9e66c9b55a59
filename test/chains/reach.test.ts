import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  boundaryGapsOf,
  type Chain,
  type Hop,
  type Origin,
  type Reached,
  reachOf,
  startPossibleReach,
  stepPossibleReach,
  stitch,
} from '#chains';
import { agent, delegatedCall, digest, Entries, user } from './entries.ts';
import { entriesOf, world } from './world.ts';

const names = <T>(list: readonly Reached<T>[]): readonly T[] => list.map(({ what }) => what);
const planner: Origin = { kind: 'party', keys: ['ai_agent|https://idp|planner'] };
const forward = (chains: readonly Chain[], origin: Origin, since?: string) =>
  reachOf(chains, { origin, direction: 'forward', ...(since === undefined ? {} : { since }) });

test('a party reached what was called with it as an actor, and what that led to, with the way there', () => {
  const reach = forward(stitch(delegatedCall().all), planner);
  assert.deepEqual(names(reach.services), ['payments', 'books']);
  assert.deepEqual(
    names(reach.parties).map((party) => party.type),
    ['user'],
  );
  assert.deepEqual(
    reach.services[1]?.path.map((step) => step.says),
    ['payments → books'],
  );
  const [payments] = reach.services;
  assert.equal(payments?.checkedBy, 'payments verified the token of ai_agent planner and required invoice.pay');
  assert.match(payments?.wouldHaveStopped ?? '', /a token without invoice\.pay/);
  assert.match(reach.services[1]?.wouldHaveStopped ?? '', /books requiring a scope/);
});

test('a token, a service and a resource have a reach of their own, and none before the moment asked for', () => {
  const chains = stitch(delegatedCall().all);
  assert.deepEqual(names(forward(chains, { kind: 'token', digest: digest('T31') }).services), ['payments', 'books']);
  assert.deepEqual(names(forward(chains, { kind: 'service', name: 'planner' }).services), ['payments', 'books']);
  assert.deepEqual(names(forward(chains, { kind: 'service', name: 'books' }).services), []);
  assert.deepEqual(forward(chains, planner, '1793439800000000000').services, []);
});

test('a refusal ends the reach, and one that did not hold does not', () => {
  for (const [outcome, services, stopped] of [
    ['error', [], ['a → b: refused: no']],
    ['ok', ['b', 'keys'], []],
  ] as const) {
    const entries = new Entries();
    const token = { digest: 'T', subject: user('dana'), actors: [agent('planner')] };
    entries.hop({ service: 'a', side: 'caller', at: [1, 1], ...token, verified: false });
    const refused = { decision: { outcome: 'deny' as const, reason: 'no' }, outcome: { status: outcome } };
    entries.hop({ service: 'b', at: [1, 2, 1], ...token, ...refused });
    entries.hop({ service: 'b', side: 'caller', at: [1, 3, 2] });
    entries.hop({ service: 'keys', at: [1, 4, 3] });
    const reach = forward(stitch(entries.all), planner);
    assert.deepEqual([names(reach.services), reach.stopped.map(({ says }) => says)], [services, stopped]);
  }
});

test('backwards, everything and everyone that led to an effect is named', () => {
  const chains = stitch(delegatedCall().all);
  const reach = reachOf(chains, { origin: { kind: 'service', name: 'books' }, direction: 'backward' });
  assert.deepEqual(names(reach.services), ['payments', 'planner', 'gateway']);
  const parties = names(reach.parties).map((party) => ('id' in party ? party.id : party.type));
  for (const party of ['user', 'gateway', 'planner', 'payments']) assert.ok(parties.includes(party), party);
});

test('a boundary gap holds the crossings between one verification and the next', () => {
  const [chain] = stitch(delegatedCall().all);
  const gaps = boundaryGapsOf(chain ?? assert.fail());
  const nameOf = (id: string | null) => chain?.hops.find((hop) => hop.id === id)?.to?.name;
  assert.deepEqual(
    gaps.map(({ hops, after, until }) => [hops.map(nameOf), nameOf(after), until.map(nameOf)]),
    [[['planner'], 'gateway', ['payments']]],
  );
});

test('reach ends, stays inside its chains, and does not depend on their order, whatever the entries', () => {
  fc.assert(
    fc.property(world, fc.constantFrom('forward' as const, 'backward' as const), (given, direction) => {
      const chains = stitch(entriesOf(given));
      for (const origin of [
        { kind: 'service', name: 'a' },
        { kind: 'token', digest: digest('T') },
      ] as const) {
        const reach = reachOf(chains, { origin, direction });
        assert.deepEqual(reachOf([...chains].reverse(), { origin, direction }), reach);
        const ids = new Set(chains.flatMap((chain) => chain.hops.map((hop) => hop.id)));
        for (const { path } of [...reach.services, ...reach.parties]) {
          assert.equal(path[0]?.grade, null);
          for (const step of path) assert.ok(ids.has(step.hop));
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('what could be reached ends where a boundary verifies and requires what is not held', () => {
  const call = (to: string, requiredScopes: readonly string[], isVerified = true): Hop => {
    const entries = new Entries();
    const verified = { digest: 'T', verified: isVerified, decision: { outcome: 'permit' as const } };
    entries.hop({ service: to, at: [1, 1], ...verified, requiredScopes: [...requiredScopes], resource: `${to}:1` });
    return stitch(entries.all)[0]?.hops[0] ?? assert.fail();
  };
  const edges = [
    { from: 'a', to: 'held', sample: [call('held', ['x'])] },
    { from: 'a', to: 'closed', sample: [call('closed', ['admin'])] },
    { from: 'a', to: 'open', sample: [call('open', [], false)] },
    { from: 'closed', to: 'behind', sample: [call('behind', [])] },
    { from: 'open', to: 'deep', sample: [call('deep', [])] },
  ];
  let search = startPossibleReach(['a'], ['x']);
  for (let depth = 0; depth < 4; depth += 1) search = stepPossibleReach(search, edges);
  assert.deepEqual(
    search.reached.map(({ service, path, resources }) => [service, path.join('>'), resources]),
    [
      ['held', 'a>held', ['held:1']],
      ['open', 'a>open', ['open:1']],
      ['deep', 'a>open>deep', ['deep:1']],
    ],
  );
  assert.deepEqual(
    search.stopped.map(({ to }) => to),
    ['closed'],
  );
  assert.deepEqual(search.frontier, []);
});
