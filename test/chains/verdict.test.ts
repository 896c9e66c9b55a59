import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chain, type Recorded, stitch, VERDICTS } from '#chains';
import { labelledSuite } from '../findings/suite.ts';
import { entriesOf, type World, wideWorld, world } from './world.ts';

/** The same entries, every callee having verified what it saw. */
const verified = (entries: readonly Recorded[]): readonly Recorded[] =>
  entries.map((each) => {
    const { entry } = each;
    if (entry.kind !== 'hop' || entry.side !== 'callee' || entry.authority === undefined) return each;
    const authority = { ...entry.authority, verification: { status: 'verified' as const } };
    return { ...each, entry: { ...entry, authority } };
  });

/**
 * Who reported what, which account is believed, and what led to what: verification may also make known what was only a guess,
 * or one of two contradicting accounts the stronger one, and then that is judged.
 */
const structure = (chains: readonly Chain[]): string =>
  JSON.stringify(
    chains.map(({ hops, links }) => [
      hops.map((hop) => [
        [hop.id, hop.callerEntries, hop.calleeEntries, hop.authority?.digest],
        [hop.subject, hop.actors, hop.peer, hop.decision, hop.outcome, hop.requiredScopes],
      ]),
      links.map((link) => [link.from, link.to, link.grade === 'ambiguous']),
    ]),
  );

/** Hops that verification made more suspicious, nothing else having changed; undefined when more changed. */
function worsened(before: readonly Chain[], after: readonly Chain[]): readonly string[] | undefined {
  if (structure(before) !== structure(after)) return undefined;
  const later = new Map(after.flatMap(({ hops }) => hops.map((hop) => [hop.id, hop] as const)));
  return before
    .flatMap(({ hops }) => hops)
    .flatMap((was) => {
      const is = later.get(was.id) ?? assert.fail();
      const isWorse = VERDICTS.indexOf(is.verdict) < VERDICTS.indexOf(was.verdict);
      return isWorse ? [`${was.verdict} -> ${is.verdict}: ${is.reason}`] : [];
    });
}

test('more evidence of verification never makes a hop more suspicious, whatever the entries', () => {
  let compared = 0;
  const holds = (given: World) => {
    const entries = entriesOf(given);
    const worse = worsened(stitch(entries), stitch(verified(entries)));
    if (worse !== undefined) compared += 1;
    assert.deepEqual(worse ?? [], []);
  };
  fc.assert(fc.property(world, holds), { numRuns: 500 });
  fc.assert(fc.property(wideWorld, holds), { numRuns: 300 });
  assert.ok(compared > 200, `the property compared ${compared} worlds`);
});

test('nor does it in any attack or look-alike of the labelled suite', () => {
  for (const { rule, kind, entries, setting } of labelledSuite(3, 6)) {
    const worse = worsened(stitch(entries, setting), stitch(verified(entries), setting));
    assert.deepEqual(worse ?? [], [], `${kind} of ${rule}`);
  }
});

test('the same entries, thresholds and history give the same verdict and the same sentence', () => {
  for (const { entries, setting } of labelledSuite(5, 3)) {
    const again = stitch([...entries].reverse(), setting);
    assert.equal(JSON.stringify(again), JSON.stringify(stitch(entries, setting)));
  }
});

test('every verdict gives its reason in one plain sentence', () => {
  for (const { entries, setting } of labelledSuite(4, 2))
    for (const chain of stitch(entries, setting))
      for (const { reason } of [chain, ...chain.hops]) assert.match(reason, /^\S[^\n]{8,}$/);
});
