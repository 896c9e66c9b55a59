import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Chain, type Recorded, stitch } from '#chains';
import { Entries, service, user } from './entries.ts';

const only = (chains: readonly Chain[]): Chain => {
  assert.equal(chains.length, 1, `${chains.length} chains`);
  return chains[0] ?? assert.fail();
};
const SECOND = 1_000_000_000n;
const START = 1_793_439_700n * SECOND;
const at = (seconds: number): string => String(START + BigInt(seconds) * SECOND);

/** A call told by both sides, the callee's report received so many seconds after it happened. */
function told(calleeAfter: number, happened = 0): readonly Recorded[] {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'caller', at: [1, 1], time: at(0), received: at(1) });
  entries.hop({ service: 'b', at: [1, 2, 1], time: at(happened), received: at(happened + calleeAfter) });
  return entries.all;
}

test('a report that came long after it happened, and after the rest of its chain, is a late gap', () => {
  const chain = only(stitch(told(3_600)));
  assert.deepEqual(
    chain.gaps.map(({ kind, says }) => `${kind}: ${says}`),
    ['late: a or whom it called told of this 3600 s after it happened'],
  );
  assert.equal(chain.completeness.complete, true, 'what came late is there');
  assert.match(chain.completeness.says, /^complete: .*; told late of 1 of its hops$/);
});

test('neither a message that waited for hours nor a whole chain read in at once is late', () => {
  assert.deepEqual(only(stitch(told(1, 7_200))).gaps, []);
  const imported = told(1).map((each) => ({ ...each, entry: { ...each.entry, received: at(1_000_000) } }));
  assert.deepEqual(only(stitch(imported)).gaps, []);
});

test('every chain says whether it is complete, and what is missing is said with its kind', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'caller', at: [1, 2, 9], absent: { subject: 'dropped_by_sdk' } });
  entries.hop({ service: 'b', at: [1, 3, 8] });
  const { gaps, completeness } = only(stitch(entries.all));
  const kinds = ['caller_without_callee', 'dropped_by_sdk', 'parent_unobserved', 'callee_without_caller'];
  assert.deepEqual(
    gaps.map(({ kind }) => kind),
    kinds,
  );
  assert.equal(completeness.complete, false);
  assert.equal(completeness.gaps, 4);
  assert.equal(completeness.oneSided, 2);
  for (const { says } of gaps) assert.ok(completeness.says.includes(says));
});

test('where caller and callee contradict each other, each contradiction is a fact of the hop with the entries that say so', () => {
  const entries = new Entries();
  const shared = { digest: 'T', subject: user('dana') };
  entries.hop({
    ...{ service: 'a', side: 'caller', at: [1, 1], time: at(0), endTime: at(1), scopes: ['pay', 'read'], ...shared },
    ...{ actors: [service('a')], outcome: { status: 'ok' } },
  });
  entries.hop({
    ...{ service: 'b', at: [1, 2, 1], time: at(200), scopes: ['read'], ...shared },
    ...{ actors: [service('x')], outcome: { status: 'error' }, subject: user('erin') },
  });
  const [hop] = only(stitch(entries.all)).hops;
  assert.deepEqual(
    hop?.disagreements.map(({ says }) => says.replace(/ \([^)]*\)/g, '')),
    [
      `subject differs: caller says user ${user('dana').ref}, callee says user ${user('erin').ref}`,
      'actors differ: caller says service a, callee says service x',
      'scope differs: caller says pay read, callee says read',
      'outcome differs: caller says ok, callee says error',
      'time differs: the callee began 199 s after the caller saw the call end, by their own clocks',
    ],
  );
  for (const { entries: leaves } of hop?.disagreements ?? []) assert.deepEqual(leaves, ['0', '1']);
});

test('clocks that differ by less than the skew, scopes of two tokens, and a message that waits are no contradiction', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'caller', at: [1, 1], time: at(50), endTime: at(51), digest: 'T', scopes: ['a'] });
  entries.hop({ service: 'b', at: [1, 2, 1], time: at(0), digest: 'U', scopes: ['b'] });
  entries.hop({
    ...{ service: 'a', side: 'caller', at: [2, 1], time: at(0), endTime: at(1) },
    transport: { protocol: 'messaging' },
  });
  entries.hop({ service: 'b', at: [2, 2, 1], time: at(7_200), transport: { protocol: 'messaging' } });
  const says = stitch(entries.all).flatMap(({ hops }) =>
    hops.flatMap((hop) => hop.disagreements.map((each) => each.says)),
  );
  assert.deepEqual(
    says.map((each) => each.split(':')[0]),
    ['token digest differs'],
  );
});
