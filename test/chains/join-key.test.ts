import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clearPartyKey, joinKeysOf, partyKey, type Recorded, stitch } from '#chains';
import { agent, digest, Entries, traceOf, user } from './entries.ts';
import { entriesOf, wideWorld } from './world.ts';

/** The connected sets by brute force. */
function connectedSets(entries: readonly Recorded[]): readonly (readonly Recorded[])[] {
  const sets: { keys: Set<string>; entries: Recorded[] }[] = [];
  for (const each of entries) {
    const keys = new Set(joinKeysOf(each.entry).map(({ kind, value }) => `${kind} ${value}`));
    const touched = sets.filter((set) => [...keys].some((key) => set.keys.has(key)));
    for (const set of touched) sets.splice(sets.indexOf(set), 1);
    sets.push({
      keys: new Set([...keys, ...touched.flatMap((set) => [...set.keys])]),
      entries: [...touched.flatMap((set) => set.entries), each],
    });
  }
  return sets.map((set) => set.entries);
}

test('stitching each connected set alone gives what stitching everything gives', () => {
  let several = 0;
  fc.assert(
    fc.property(wideWorld, (given) => {
      const entries = entriesOf(given);
      const sets = connectedSets(entries);
      if (sets.length > 1) several += 1;
      const apart = sets.flatMap((set) => stitch(set)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(apart, stitch(entries));
    }),
    { numRuns: 300 },
  );
  assert.ok(several > 50, `the property was tried on ${several} worlds of several sets`);
});

test('an entry is joined by its traces, tokens and verified transaction, its own trace first, each once', () => {
  const entries = new Entries();
  const links = [3, 1, 3].map((trace) => ({
    traceId: traceOf([trace, 1]).traceId,
    spanId: traceOf([trace, 1]).spanId,
  }));
  const { entry } = entries.hop({
    service: 'a',
    trace: { ...traceOf([1, 1]), links },
    cause: { traceId: traceOf([2, 1]).traceId, spanId: traceOf([2, 1]).spanId },
    authority: {
      profile: 'txn-token',
      digest: digest('T'),
      transaction: 'x',
      issuer: 'https://idp',
      verification: { status: 'verified' },
    },
  });
  assert.deepEqual(
    joinKeysOf(entry).map(({ kind, value }) => `${kind} ${value}`),
    [
      ...[1, 2, 3].map((trace) => `trace ${traceOf([trace, 1]).traceId}`),
      `token ${digest('T')}`,
      'transaction https://idp x',
    ],
  );
});

test('a transaction nobody verified joins nothing', () => {
  const { entry } = new Entries().hop({
    service: 'a',
    authority: { profile: 'txn-token', transaction: 'x', verification: { status: 'unverified' } },
  });
  assert.deepEqual(joinKeysOf(entry), []);
});

test('no two parties share a key, even where issuers and ids hold bars', () => {
  const keys = [
    clearPartyKey('service', 'a', 'b|c'),
    clearPartyKey('service', 'a|b', 'c'),
    clearPartyKey('service', 'a%7Cb', 'c'),
    clearPartyKey('ai_agent', 'a', 'b|c'),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(partyKey(agent('planner')), 'ai_agent|https://idp|planner');
  assert.match(partyKey(user('dana')), /^p_[0-9a-f]{32}$/);
});

test('where entries were left out the chain says so, and nothing is concluded from absence', () => {
  const entries = new Entries();
  entries.hop({ service: 'books', at: [1, 1], digest: 'T', subject: user('dana'), actors: [agent('planner')] });
  const [whole] = stitch(entries.all);
  const [part] = stitch(entries.all, { bounded: true });
  assert.deepEqual(
    whole?.findings.map((finding) => finding.rule),
    ['orphan_hop'],
  );
  assert.deepEqual(part?.findings, []);
  assert.equal(part?.completeness.complete, false);
  assert.match(part?.completeness.says ?? '', /more entries than are stitched together/);
});
