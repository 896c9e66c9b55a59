import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chain, type Recorded, stitch } from '#chains';
import { delegatedCall, digest, Entries, type Span, service, user } from './entries.ts';

/** Small worlds on purpose: few services, spans and tokens, so that reuse, cycles, forks and replays are common. */
const span = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 9 })),
  fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
);
const token = fc.option(fc.constantFrom('T', 'U', 'V'), { nil: undefined });
const hop = fc.record({
  service: fc.constantFrom('a', 'b', 'c'),
  side: fc.constantFrom('caller' as const, 'callee' as const, 'local' as const),
  signal: fc.constantFrom('log' as const, 'span' as const),
  at: span,
  token,
  verified: fc.boolean(),
  person: fc.option(fc.constantFrom('dana', 'erin'), { nil: undefined }),
  peer: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  decision: fc.option(fc.constantFrom('permit' as const, 'deny' as const), { nil: undefined }),
  link: fc.option(span, { nil: undefined }),
});
const exchange = fc.record({ at: span, tokenIn: fc.constantFrom('T', 'U'), tokenOut: fc.constantFrom('U', 'V') });
const world = fc.record({
  hops: fc.array(hop, { maxLength: 14 }),
  exchanges: fc.array(exchange, { maxLength: 3 }),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
const linkOf = ([trace, id]: readonly number[]) => ({ traceId: hex(trace ?? 1, 32), spanId: hex(id ?? 1, 16) });

function entriesOf({ hops, exchanges }: World): readonly Recorded[] {
  const entries = new Entries();
  for (const { service: name, side, signal, at, token, verified, person, peer, decision, link } of hops) {
    const made = entries.hop({
      service: name,
      side,
      at: at as Span,
      source: { signal, vocabulary: signal === 'log' ? 'behalf' : 'otel-semconv' },
      transport: { protocol: 'http', ...(peer === undefined ? {} : { peerService: peer }) },
      ...(token === undefined ? {} : { digest: token, verified, scopes: [token] }),
      ...(person === undefined ? {} : { subject: user(person), actors: [service('a')] }),
      ...(decision === undefined ? {} : { decision: { outcome: decision } }),
    });
    if (link !== undefined) made.entry.trace?.links.push(linkOf(link));
  }
  for (const { at, tokenIn, tokenOut } of exchanges)
    entries.exchange({ at: at as Span, tokenIn: digest(tokenIn), tokenOut: digest(tokenOut) });
  return entries.all;
}

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

test('what arrives in batches ends as what arrives at once', () => {
  fc.assert(
    fc.property(world, fc.nat(), (given, at) => {
      const entries = entriesOf(given);
      const cut = entries.length === 0 ? 0 : at % entries.length;
      stitch(entries.slice(cut));
      assert.equal(text(stitch([...entries.slice(cut), ...entries.slice(0, cut)])), text(stitch(entries)));
    }),
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
