import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chain, type Recorded, stitch } from '#chains';
import { digest, Entries, type Span, traceOf } from './entries.ts';

const only = (chains: readonly Chain[]): Chain => {
  assert.equal(chains.length, 1, `${chains.length} chains`);
  return chains[0] ?? assert.fail();
};
/** Rules have bounds and tests of their own. */
const UNJUDGED = { rules: [] };
const source = { signal: 'span' as const, vocabulary: 'otel-semconv' };

test('spans that are each other’s parents, in a circle of any length, end; every hop is there and no link is above inferred', () => {
  for (const length of [1, 2, 3, 50]) {
    const entries = new Entries();
    for (let i = 0; i < length; i += 1)
      entries.hop({ service: 'a', side: 'local', at: [1, i + 1, ((i + 1) % length) + 1], source });
    const chain = only(stitch(entries.all));
    assert.equal(chain.hops.length, length);
    assert.ok(chain.links.every(({ grade }) => grade === 'inferred'));
  }
});

test('tokens exchanged in a circle end', () => {
  const entries = new Entries();
  for (const [i, name] of ['T', 'U', 'V'].entries()) {
    const next = ['U', 'V', 'T'][i] ?? 'T';
    entries.exchange({ tokenIn: digest(name), tokenOut: digest(next) });
    entries.hop({ service: name, at: [i + 1, 1], digest: name });
  }
  const chains = stitch(entries.all);
  assert.equal(chains.flatMap(({ hops }) => hops).length, 3);
});

test('two reports of one call under two parents are two calls, in a trace where no span id proves anything', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', at: [1, 1], digest: 'T' });
  entries.hop({ service: 'a', at: [1, 2], digest: 'T', operation: 'other' });
  const under = (parent: number) =>
    entries.hop({ service: 'a', side: 'caller', at: [1, 3, parent], digest: 'T', verified: false });
  under(1);
  under(2);
  entries.hop({ service: 'b', at: [1, 4, 3], digest: 'T' });
  const chain = only(stitch(entries.all));
  for (const { grade } of [...chain.links, ...chain.hops])
    assert.ok(grade !== 'proven' && grade !== 'corroborated', grade);
  const last = chain.hops.find(({ to }) => to?.name === 'b');
  assert.equal(last?.from, null);
  assert.deepEqual(
    chain.links.filter(({ to }) => to === last?.id).map(({ grade }) => grade),
    ['ambiguous', 'ambiguous'],
  );
});

test('a chain of ten thousand hops is one chain in order, and says so', () => {
  const entries = new Entries();
  entries.hop({ service: 's0', at: [1, 1], source });
  for (let i = 1; i <= 10_000; i += 1) {
    entries.hop({ service: `s${i - 1}`, side: 'caller', at: [1, 2 * i, 2 * i - 1], source });
    entries.hop({ service: `s${i}`, at: [1, 2 * i + 1, 2 * i], source });
  }
  const chain = only(stitch(entries.all, UNJUDGED));
  assert.equal(chain.hops.length, 10_001);
  assert.equal(chain.links.length, 10_000);
  assert.deepEqual(
    chain.hops.slice(0, 3).map(({ to }) => to?.name),
    ['s0', 's1', 's2'],
  );
  assert.equal(chain.hops.at(-1)?.to?.name, 's10000');
});

/** Calls of one service in one trace whose spans hang from spans nobody reported, below so many requests to it. */
function crowd(requests: number, calls: number): readonly Recorded[] {
  const entries = new Entries();
  for (let i = 0; i < requests; i += 1) entries.hop({ service: 'a', at: [1, 10_000 + i], source });
  for (let i = 0; i < calls; i += 1)
    entries.hop({ service: 'a', side: 'caller', at: [1, 100_000 + i, 900_000 + i], source });
  return entries.all;
}

test('where a hundred hops could have led to one, all are listed; where more could, none is, and a gap says why', () => {
  const listed = only(stitch(crowd(100, 1)));
  assert.equal(listed.links.length, 100);
  assert.ok(listed.links.every(({ grade }) => grade === 'ambiguous'));
  const crowded = only(stitch(crowd(101, 1)));
  assert.equal(crowded.links.length, 0);
  assert.deepEqual(
    crowded.gaps.filter(({ kind }) => kind === 'parent_unobserved').map(({ says }) => says),
    ['more than 100 hops could have led to a doing this: none is listed'],
  );
  assert.equal(crowded.completeness.complete, false);
});

test('a trace of twenty thousand spans without their parents stays one chain, and what is said of it does not outgrow it', () => {
  const chain = only(stitch(crowd(10_000, 10_000), UNJUDGED));
  assert.equal(chain.hops.length, 20_000);
  assert.equal(chain.links.length, 0);
  assert.ok(chain.completeness.says.length < 2_000, 'the sentence is one');
});

test('a token used all day by many is no list of everybody who used it', () => {
  const entries = new Entries();
  for (let i = 0; i < 1_000; i += 1) entries.hop({ service: 'a', at: [i + 1, 1], digest: 'T' });
  for (let i = 0; i < 1_000; i += 1)
    entries.hop({ service: 'a', side: 'caller', at: [5_000 + i, 1], digest: 'T', verified: false });
  const chains = stitch(entries.all, UNJUDGED);
  assert.equal(chains.flatMap(({ links }) => links).length, 0);
  const says = new Set(chains.flatMap(({ gaps }) => gaps.map((gap) => gap.says)));
  assert.ok(says.has('more than 100 hops could have led to a doing this: none is listed'));
});

test('the logs of two tenants with the same trace id are stitched apart: each gives what it gives alone', () => {
  const log = (service: string): readonly Recorded[] => {
    const entries = new Entries();
    entries.hop({ service, at: [1, 1], digest: 'T' });
    entries.hop({ service, side: 'caller', at: [1, 2, 1], digest: 'T', verified: false });
    return entries.all;
  };
  const [one, two] = [only(stitch(log('ours'))), only(stitch(log('theirs')))];
  assert.deepEqual(one.traceIds, [traceOf([1, 1]).traceId]);
  assert.deepEqual(two.traceIds, one.traceIds);
  assert.deepEqual([one.services, two.services], [['ours'], ['theirs']]);
});

test('whatever hangs under whatever, links are at most a hundred for each hop', () => {
  const span = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 40 }),
  );
  fc.assert(
    fc.property(
      fc.array(span, { minLength: 50, maxLength: 300 }),
      fc.array(fc.nat(2), { minLength: 300 }),
      (spans, sides) => {
        const entries = new Entries();
        const side = (i: number) => (['caller', 'callee', 'local'] as const)[sides[i] ?? 0] ?? 'caller';
        for (const [i, at] of spans.entries()) entries.hop({ service: 'a', side: side(i), at: at as Span, source });
        const chains = stitch(entries.all);
        const hops = chains.flatMap((chain) => chain.hops).length;
        assert.ok(chains.flatMap(({ links }) => links).length <= 100 * hops);
      },
    ),
    { numRuns: 30 },
  );
});
