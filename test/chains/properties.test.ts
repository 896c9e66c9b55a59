import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chain, stitch } from '#chains';
import { delegatedCall, Entries } from './entries.ts';
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
