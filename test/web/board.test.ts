import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Chain, stitch } from '#chains';
import { boardOf } from '../../src/web/board.ts';
import { delegatedCall } from '../chains/entries.ts';
import { cases } from './cases.ts';

const chains = stitch(cases().all);
const chainWith = (service: string): Chain =>
  chains.find((chain) => chain.services.includes(service)) ?? assert.fail(`no chain of ${service}`);
const lanes = (chain: Chain): string[] =>
  boardOf(chain).lanes.map((lane) => (lane.kind === 'service' ? lane.name : lane.kind));

test('a complete chain has one entrance, then its services in the order they were reached', () => {
  const [chain = assert.fail()] = stitch(delegatedCall().all);
  assert.deepEqual(lanes(chain), ['entrance', 'gateway', 'planner', 'payments', 'books']);
});

test('a hop whose caller is missing starts at a gap, and there is no entrance for it', () => {
  const replay = chains.find((chain) => chain.hops.length === 1) ?? assert.fail();
  const { rows } = boardOf(replay);
  assert.deepEqual(lanes(replay), ['books']);
  assert.deepEqual([rows[0]?.from.kind, rows[0]?.to.kind], ['gap', 'lane']);
});

test('a service that only others speak of has a lane that says so', () => {
  const lane = boardOf(chainWith('worker')).lanes.find((each) => each.kind === 'service' && each.name === 'mainframe');
  assert.deepEqual(lane, { kind: 'service', name: 'mainframe', reports: false });
});

test('every candidate of an ambiguous link is drawn, apart from the others', () => {
  const { ties } = boardOf(chainWith('queue-worker'));
  const candidates = ties.filter((tie) => tie.link.grade === 'ambiguous');
  assert.equal(candidates.length, 2);
  assert.equal(new Set(candidates.map((tie) => tie.slot)).size, 2);
});

test('every hop, link and gap of every chain is on the board', () => {
  for (const chain of chains) {
    const { rows, ties } = boardOf(chain);
    assert.deepEqual(
      rows.map((row) => row.hop.id),
      chain.hops.map((hop) => hop.id),
    );
    assert.equal(ties.length, chain.links.length);
    assert.equal(rows.flatMap((row) => row.gaps).length, chain.gaps.length);
  }
});

test('a hop is drawn from the entrance only when nothing led to it and no gap says a caller is missing', () => {
  for (const chain of chains) {
    const board = boardOf(chain);
    for (const { hop, from, gaps } of board.rows) {
      if (from.kind !== 'lane' || board.lanes[from.lane]?.kind !== 'entrance') continue;
      assert.equal(hop.from, null);
      assert.deepEqual(
        gaps.filter((gap) => gap.kind === 'callee_without_caller' || gap.kind === 'unsampled'),
        [],
      );
      assert.equal(
        chain.links.some((link) => link.to === hop.id),
        false,
      );
    }
  }
});
