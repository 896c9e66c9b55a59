import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chain, type Hop, type Recorded, stitch } from '#chains';
import { delegatedCall, digest, Entries, type Span, traceOf } from './entries.ts';
import { entriesOf, world } from './world.ts';

const text = (chains: readonly Chain[]): string => JSON.stringify(chains);

test('order, duplicates and re-running never change the chains, whatever the entries', () => {
  fc.assert(
    fc.property(world, fc.infiniteStream(fc.nat()), (given, numbers) => {
      const entries = entriesOf(given);
      const expected = text(stitch(entries));
      const shuffled = [...entries, ...entries].map((each) => ({ each, at: numbers.next().value ?? 0 }));
      const order = shuffled.toSorted((a, b) => a.at - b.at).map(({ each }) => each);
      assert.equal(text(stitch(order)), expected);
      assert.equal(text(stitch(order)), expected);
    }),
    { numRuns: 300 },
  );
});

test('unrelated entries change nothing', () => {
  const others = delegatedCall(new Entries(), 900).all.map(({ leafIndex, entry }) => ({
    leafIndex: leafIndex + 1_000_000n,
    entry: { ...entry, id: entry.id.replace('8000', '8fff') },
  }));
  const othersAlone = text(stitch(others));
  fc.assert(
    fc.property(world, (given) => {
      const entries = entriesOf(given);
      const together = stitch([...others, ...entries]);
      const own = new Set(stitch(entries).map((chain) => chain.id));
      assert.equal(text(together.filter((chain) => own.has(chain.id))), text(stitch(entries)));
      assert.equal(text(together.filter((chain) => !own.has(chain.id))), othersAlone);
    }),
    { numRuns: 200 },
  );
});

test('every entry stands in exactly one chain, and every hop of an entry is in that chain', () => {
  fc.assert(
    fc.property(world, (given) => {
      const entries = entriesOf(given);
      const chains = stitch(entries);
      const told = chains.flatMap((chain) => chain.entries);
      assert.equal(new Set(told).size, told.length, 'no entry twice');
      assert.deepEqual(told.toSorted(), entries.map(({ leafIndex }) => String(leafIndex)).toSorted());
      for (const chain of chains) {
        const ids = new Set(chain.hops.map((each) => each.id));
        assert.equal(ids.size, chain.hops.length, 'no hop twice');
        for (const link of chain.links) assert.ok(ids.has(link.from) && ids.has(link.to), 'links stay inside');
        for (const gap of chain.gaps) assert.ok(ids.has(gap.hop));
      }
    }),
    { numRuns: 300 },
  );
});

test('without a verified token or an exchange nothing is proven, and with plain spans alone nothing is above inferred', () => {
  fc.assert(
    fc.property(world, (given) => {
      const bare = { hops: given.hops.map((each) => ({ ...each, verified: false })), exchanges: [] };
      for (const chain of stitch(entriesOf(bare)))
        for (const { grade } of [...chain.hops, ...chain.links]) assert.notEqual(grade, 'proven');
      const plain = given.hops.map((each) => ({
        ...each,
        signal: 'span' as const,
        token: undefined,
        person: undefined,
        peer: undefined,
        link: undefined,
      }));
      for (const chain of stitch(entriesOf({ hops: plain, exchanges: [] }))) {
        for (const { grade } of chain.links) assert.ok(grade === 'inferred' || grade === 'ambiguous');
        for (const each of chain.hops)
          if (each.callerEntries.length > 0 && each.calleeEntries.length > 0) assert.equal(each.grade, 'inferred');
      }
    }),
    { numRuns: 300 },
  );
});

test('several links to one hop are ambiguous together, or each is known on its own', () => {
  fc.assert(
    fc.property(world, (given) => {
      for (const chain of stitch(
        entriesOf({ ...given, hops: given.hops.map((each) => ({ ...each, link: undefined })) }),
      )) {
        for (const id of new Set(chain.links.map((link) => link.to))) {
          const links = chain.links.filter((link) => link.to === id);
          if (links.length > 1) assert.ok(links.every((link) => link.grade === 'ambiguous'));
        }
      }
    }),
    { numRuns: 300 },
  );
});

const FRESH = 77; // a span that no world names

/** One more observation, in a span of its own: of whatever side, service and token, below whatever span, or an exchange. */
const another = fc.record({
  kind: fc.constantFrom('caller' as const, 'callee' as const, 'local' as const, 'exchange' as const),
  service: fc.constantFrom('a', 'b', 'c', 'd'),
  trace: fc.integer({ min: 1, max: 3 }),
  parent: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  token: fc.option(fc.constantFrom('T', 'U', 'V', 'new'), { nil: undefined }),
  verified: fc.boolean(),
});
type Another = typeof another extends fc.Arbitrary<infer T> ? T : never;

function withOneMore(entries: readonly Recorded[], { kind, service, trace, parent, token, verified }: Another) {
  const more = new Entries();
  const at: Span = parent === undefined ? [trace, FRESH] : [trace, FRESH, parent];
  if (kind === 'exchange') more.exchange({ at, tokenIn: digest(token ?? 'T'), tokenOut: digest('made now') });
  else more.hop({ service, side: kind, at, ...(token === undefined ? {} : { digest: token, verified }) });
  const added = more.all.map(({ entry }) => ({
    leafIndex: 1_000n,
    entry: { ...entry, id: entry.id.replace('8000', '8fff') },
  }));
  return [...entries, ...added];
}

/** A callee below a call joins that call's own account: what the hop is has changed then, and what it rests on. */
const isAnswer = (entries: readonly Recorded[], { kind, trace, parent }: Another): boolean =>
  kind === 'callee' &&
  entries.some(
    ({ entry }) =>
      entry.kind === 'hop' &&
      entry.side === 'caller' &&
      entry.trace?.traceId === traceOf([trace, 1]).traceId &&
      entry.trace.spanId === traceOf([1, parent ?? 99]).spanId,
  );

const tellersOf = (hop: Hop | undefined): string => `${hop?.callerEntries.join()} ${hop?.calleeEntries.join()}`;

test('one more observation never removes a proven link between hops that are told as before; a rival beside it leaves both', () => {
  let proven = 0;
  const holds = (entries: readonly Recorded[], more: Another): void => {
    if (isAnswer(entries, more)) return;
    const [before, after] = [stitch(entries), stitch(withOneMore(entries, more))];
    const hopsIn = (chains: readonly Chain[]) =>
      new Map(chains.flatMap(({ hops }) => hops).map((hop) => [hop.id, hop]));
    const [were, are] = [hopsIn(before), hopsIn(after)];
    const links = after.flatMap((chain) => chain.links);
    for (const { from, to, grade } of before.flatMap((chain) => chain.links)) {
      const isAsBefore = [from, to].every((id) => tellersOf(were.get(id)) === tellersOf(are.get(id)));
      if (grade !== 'proven' || !isAsBefore) continue;
      proven += 1;
      const now = links.find((link) => link.from === from && link.to === to);
      const rivals = links.filter((link) => link.to === to).length - 1;
      assert.ok(
        now?.grade === 'proven' || (now?.grade === 'ambiguous' && rivals > 0),
        `${from} to ${to}: ${now?.grade}`,
      );
    }
  };
  fc.assert(
    fc.property(world, another, (given, more) => holds(entriesOf(given), more)),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(another, (more) => holds(delegatedCall().all, more)),
    { numRuns: 500 },
  );
  assert.ok(proven > 1_000, `${proven} proven links were looked at`);
});

test('entries taken in by any batches, stitched after each, end as what arrives at once', () => {
  fc.assert(
    fc.property(world, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 }), (given, sizes) => {
      const entries = entriesOf(given);
      let known: readonly Recorded[] = [];
      let last: readonly Chain[] = [];
      for (let at = 0, i = 0; at < entries.length; at += sizes[i % sizes.length] ?? 1, i += 1) {
        known = [...entries.slice(at, at + (sizes[i % sizes.length] ?? 1)), ...known];
        last = stitch(known);
      }
      assert.equal(text(last), text(stitch(entries)));
    }),
  );
});
