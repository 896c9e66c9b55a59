import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseActors } from '../../src/sdk/actors.ts';
import { Anomalies } from '../../src/sdk/anomalies.ts';

type Act = { sub: string; iss?: string; act?: Act };

const nest = (oldestFirst: readonly Act[]): Act | undefined =>
  oldestFirst.reduce<Act | undefined>((before, actor) => ({ ...actor, ...(before && { act: before }) }), undefined);

const parse = (act: unknown, maxDepth = 64, issuer?: string) => {
  const anomalies = new Anomalies();
  return { ...parseActors(act, { maxDepth, basis: 'token', issuer, anomalies }), anomalies: anomalies.all() };
};

test('any nest of well-formed actors comes back oldest first, each under its own issuer or the token’s', () => {
  const actor = fc.record(
    { sub: fc.string({ minLength: 1, unit: 'grapheme' }), iss: fc.webUrl() },
    { requiredKeys: ['sub'] },
  );
  fc.assert(
    fc.property(fc.array(actor, { maxLength: 20 }), (oldestFirst) => {
      const { actors, depth, problem, anomalies } = parse(nest(oldestFirst), 64, 'https://issuer.example');
      const expected = oldestFirst.map(({ sub, iss }) => [sub, iss ?? 'https://issuer.example']);
      assert.deepEqual(
        actors.map(({ id, issuer }) => [id, issuer]),
        expected,
      );
      const isCycle = new Set(expected.map((each) => JSON.stringify(each))).size < expected.length;
      const codes = anomalies.map(({ code }) => code);
      assert.deepEqual([depth, problem, codes], [oldestFirst.length, undefined, isCycle ? ['act_cycle'] : []]);
    }),
  );
});

test('an actor that is named again is flagged, under its own issuer only', () => {
  const codes = (...oldestFirst: Act[]) => parse(nest(oldestFirst), 64, 'i').anomalies.map(({ code }) => code);
  assert.deepEqual(codes({ sub: 'a' }, { sub: 'b' }, { sub: 'a' }), ['act_cycle']);
  assert.deepEqual(codes({ sub: 'a' }, { sub: 'a', iss: 'i' }), ['act_cycle']);
  assert.deepEqual(codes({ sub: 'a' }, { sub: 'b' }, { sub: 'a', iss: 'other' }), []);
});

test('no claim of whatever shape makes it throw, and what is not an actor is a named problem', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (claim) => {
      const { actors, problem, anomalies } = parse(claim);
      const isWellFormed = typeof claim === 'object' && claim !== null && !Array.isArray(claim) && 'sub' in claim;
      if (!isWellFormed) assert.deepEqual([problem, actors.length > 0], ['act_malformed', false]);
      if (problem !== undefined) assert.ok(anomalies.length > 0, 'a problem is evidence too');
    }),
  );
});

test('at every depth and limit the most recent actors are kept without a hole, and one too many is a problem', () => {
  for (const depth of [1, 2, 63, 64, 65, 200]) {
    for (const limit of [1, 16, 64]) {
      const all = Array.from({ length: depth }, (_, index) => ({ sub: `a${index + 1}` }));
      const { actors, problem } = parse(nest(all), limit);
      assert.deepEqual(
        actors.map(({ id }) => id),
        all.slice(-64).map(({ sub }) => sub),
      );
      assert.equal(problem, depth > limit ? 'act_too_deep' : undefined, `depth ${depth}, limit ${limit}`);
    }
  }
});

test('actors that would not fit a ledger entry are a problem, and what is kept is bounded', () => {
  const all = Array.from({ length: 40 }, (_, index) => ({ sub: `${index}-${'x'.repeat(2000)}` }));
  const { actors, problem } = parse(nest(all));
  assert.equal(problem, 'act_too_deep');
  assert.deepEqual(
    actors.map(({ id }) => id),
    all.slice(-actors.length).map(({ sub }) => sub),
  );
  assert.ok(actors.reduce((sum, { id }) => sum + id.length, 0) <= 16_384);
});

test('a lone surrogate, an empty or an over-long subject is no identity', () => {
  for (const sub of ['\ud800', '', 'x'.repeat(2049), 7, null]) {
    const { actors, problem } = parse({ sub, act: { sub: 'first' } });
    assert.deepEqual([actors.map(({ id }) => id), problem], [['first'], 'act_malformed']);
  }
});
