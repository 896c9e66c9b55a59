import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Arrival, assign, type Known, type Limits } from '../../src/projection/assign.ts';

const arrivals = fc
  .array(
    fc.record({
      trace: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      token: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 1 }),
      link: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined, freq: 1 }),
    }),
    { maxLength: 40 },
  )
  .map((list) =>
    list.map(({ trace, token, link }, i): Arrival => {
      const traces = [...new Set([trace, link])].filter((each) => each !== undefined);
      return {
        leafIndex: BigInt(i),
        keys: [
          ...traces.map((each) => ({ kind: 'trace' as const, key: `t${each}` })),
          ...(token === undefined ? [] : [{ kind: 'token' as const, key: `k${token}` }]),
        ],
      };
    }),
  );

/** What the tables hold after batches of this many entries: entry -> set, keys and sets. */
function store(list: readonly Arrival[], batch: number, limits?: Limits) {
  const setOf = new Map<bigint, bigint>();
  const known: {
    keys: Map<string, { set: bigint; uses: bigint }>;
    sets: Map<bigint, { entries: number; bounded: boolean }>;
  } = { keys: new Map(), sets: new Map() };
  for (let at = 0; at < list.length; at += batch) {
    const outcome = assign(list.slice(at, at + batch), known satisfies Known, limits);
    for (const [source, target] of outcome.merged) {
      known.sets.delete(source);
      for (const [leaf, set] of setOf) if (set === source) setOf.set(leaf, target);
      for (const [key, state] of known.keys) if (state.set === source) known.keys.set(key, { ...state, set: target });
    }
    for (const [leaf, set] of outcome.setOf) setOf.set(leaf, set);
    for (const [key, state] of outcome.keys) known.keys.set(key, state);
    for (const [set, state] of outcome.sets) known.sets.set(set, state);
  }
  const sorted = <K extends bigint | string, V>(map: Map<K, V>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { setOf: sorted(setOf), keys: sorted(known.keys), sets: sorted(known.sets) };
}

const limits = fc.option(fc.record({ entries: fc.integer({ min: 1, max: 8 }), uses: fc.integer({ min: 1, max: 4 }) }), {
  nil: undefined,
});

test('how the log is cut into batches changes nothing, at limits too', () => {
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 9 }), limits, (list, batch, given) => {
      assert.deepEqual(store(list, batch, given), store(list, 1, given));
      assert.deepEqual(store(list, 1000, given), store(list, 1, given));
    }),
    { numRuns: 500 },
  );
});

test('below the limits, sets are exactly the entries that shared keys connect', () => {
  fc.assert(
    fc.property(arrivals, (list) => {
      const { setOf, sets } = store(list, 7);
      const of = new Map(setOf);
      for (const a of list) {
        for (const b of list) {
          if (a.keys.some(({ key }) => b.keys.some((other) => other.key === key)))
            assert.equal(of.get(a.leafIndex), of.get(b.leafIndex));
        }
      }
      assert.equal(sets.length, components(list));
      for (const [set, { entries, bounded }] of sets) {
        const members = setOf.filter(([, each]) => each === set).map(([leaf]) => leaf);
        assert.equal(entries, members.length);
        assert.equal(members[0], set, 'named by its smallest leaf index');
        assert.equal(bounded, false);
      }
    }),
    { numRuns: 300 },
  );
});

/** How many connected sets there are, by walking from key to key. */
function components(list: readonly Arrival[]): number {
  const left = new Set(list);
  let count = 0;
  for (const start of list) {
    if (!left.delete(start)) continue;
    count += 1;
    const queue = [start];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const keys = new Set(at.keys.map(({ key }) => key));
      for (const other of left) {
        if (!other.keys.some(({ key }) => keys.has(key))) continue;
        left.delete(other);
        queue.push(other);
      }
    }
  }
  return count;
}

test('no set outgrows the limit, and entries kept apart by a limit are in bounded sets on both sides', () => {
  fc.assert(
    fc.property(
      arrivals,
      fc.record({ entries: fc.integer({ min: 2, max: 8 }), uses: fc.integer({ min: 1, max: 4 }) }),
      (list, given) => {
        const { setOf, sets } = store(list, 5, given);
        const of = new Map(setOf);
        const states = new Map(sets);
        for (const [, { entries }] of sets) assert.ok(entries <= given.entries);
        for (const a of list) {
          for (const b of list) {
            const [here, there] = [of.get(a.leafIndex) ?? -1n, of.get(b.leafIndex) ?? -1n];
            if (here === there || !a.keys.some(({ key }) => b.keys.some((other) => other.key === key))) continue;
            assert.ok(states.get(here)?.bounded && states.get(there)?.bounded, `${a.leafIndex} and ${b.leafIndex}`);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
