import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type Chain, type Recorded, stitch } from '#chains';
import type { HopEntry } from '#observation';
import type { ChainAnswer, PartyView } from '#query';
import { renderChain } from '../../src/cli/render-chain.ts';
import { agent, delegatedCall, Entries, service, user } from '../chains/entries.ts';

const plain = { source: { signal: 'span' as const, vocabulary: 'otel-semconv' } };

/** What the query API answers, with the names of persons opened by `nameOf`. */
function answerOf(chain: Chain | undefined, nameOf: (ref: string) => string | null = () => 'dana'): ChainAnswer {
  if (chain === undefined) throw new assert.AssertionError({ message: 'no chain to show' });
  const opened = JSON.parse(JSON.stringify(chain), (_, value) =>
    typeof value === 'object' && value !== null && 'basis' in value ? viewOf(value, nameOf) : value,
  ) as Chain<PartyView>;
  return { chain: opened, log: { origin: 'behalf.example/1', treeSize: '42', published: '40' } };
}

function viewOf(party: HopEntry['actors'][number], nameOf: (ref: string) => string | null): PartyView {
  const { type, basis, issuer = null } = party;
  if ('ref' in party) return { key: party.ref, type, basis, issuer, id: nameOf(party.ref) };
  return { key: `${type}|${issuer}|${party.id}`, type, basis, issuer, id: party.id };
}

const drawn = (recorded: readonly Recorded[], nameOf?: (ref: string) => string | null): string =>
  renderChain(answerOf(stitch(recorded)[0], nameOf));

test('a delegated call reads as a tree with verdict and grade of each hop', () => {
  assert.equal(
    drawn(delegatedCall().all),
    `✔ PERMITTED  c_019a0000000070008000000000000001
all 3 boundaries that decided verified the token and permitted the call, within the authority held

on behalf of  dana (user)
acting        gateway → planner (ai agent) → payments
when          2026-10-31 09:41:40.000 UTC, 0 ms
trace         00000000000000000000000000000001

1  (not observed) → gateway                                               ✔ permitted  asserted
│  for dana (user)
│  scopes invoice.pay · token 543131000000… verified by the callee
│  crossing: told by one side only
└─ 2  gateway → planner                                                   ? unknown    proven
   │  for dana (user), by gateway
   │  scopes invoice.pay · token 543231000000… as the caller sent it
   │  crossing: the callee exchanged the very token the caller sent
   │  led here by 1, proven: its token was exchanged from the token of the hop before (1 observed);
   │  the service names the request it was serving
   └─ 3  planner                                                          step inside the service
      │  led here by 2, inferred: span parentage
      └─ 4  planner → payments                                            ✔ permitted  inferred
         │  for dana (user), by gateway → planner (ai agent)
         │  scopes invoice.pay · needs invoice.pay · token 543331000000… verified by the callee
         │  crossing: span parentage alone joins the two sides
         │  led here by 3, proven: its token was exchanged from the token of the hop before (1
         │  observed); span parentage
         └─ 5  payments → books                                           ✔ permitted  proven
               for dana (user), by gateway → planner (ai agent) → payments
               scopes invoice.pay · token 543431000000… verified by the callee
               crossing: both sides name the same token digest and the callee verified it
               led here by 4, proven: its token was exchanged from the token of the hop before (1
               observed); the service names the request it was serving

completeness  ✔ complete: every call among 5 hops is accounted for
proof         11 entries (0-10) of behalf.example/1, tree size 42; all under the signed checkpoint
              of size 40`,
  );
});

test('a gap is drawn as what it is, above the hop nobody called and below the one nobody answered', () => {
  const entries = new Entries();
  entries.hop({ service: 'c', at: [1, 9, 8] });
  entries.hop({ service: 'c', side: 'caller', at: [1, 10, 9], transport: { protocol: 'http', peerService: 'd' } });
  const lines = drawn(entries.all).split('\n');
  const at = (text: string) => lines.findIndex((line) => line.includes(text));
  assert.match(lines[at('gap, callee without caller')] ?? '', /^┄ gap/);
  assert.ok(at('gap, callee without caller') < at('1  (not observed) → c'));
  assert.match(lines[at('1  (not observed) → c')] ?? '', /^└─ 1/, 'the hop hangs from its gap');
  assert.ok(at('2  c → (d)') < at('gap, caller without callee'));
  assert.ok(lines.some((line) => /incomplete: /.test(line)));
});

test('every candidate of an ambiguous hop is named, and none is drawn as its parent', () => {
  const entries = new Entries();
  entries.hop({ service: 'worker', at: [1, 1, 90], ...plain });
  entries.hop({ service: 'worker', at: [1, 2, 91], ...plain });
  entries.hop({ service: 'worker', side: 'caller', at: [1, 3, 77], ...plain });
  const text = drawn(entries.all);
  assert.match(
    text,
    /┄ ambiguous: any one of these 2 could have led here; none is chosen\n {2}1 {2}.*\n {2}2 {2}.*\n└─ 3 /,
  );
});

test('findings name their hop and entries, and the hop names them', () => {
  const entries = new Entries();
  entries.hop({
    service: 'payments',
    at: [1, 1],
    digest: 'in',
    scopes: ['a'],
    requiredScopes: ['b'],
    subject: user('dana'),
    decision: { outcome: 'deny', reason: 'insufficient_scope' },
    outcome: { status: 'error' },
  });
  const text = drawn(entries.all);
  assert.match(text, /^▲ EXCESSIVE/);
  assert.match(text, /found: Asked for more than was held/);
  assert.match(text, /warning +Asked for more than was held \(scope_exceeded, at hop 1\)/);
  assert.match(text, /NHI5:2025, ASI02, ASI03; entries 0/);
});

test('an erased person stands as a reference, never as a blank', () => {
  assert.match(
    drawn(delegatedCall().all, () => null),
    /on behalf of {2}a user no longer named \(p_64616e61000…\)/,
  );
});

test('text from outside cannot move the cursor or hide itself', () => {
  const entries = new Entries();
  const evil = '\u001b[2J\u001b]0;x\u0007\r\u202egoog\u200b';
  entries.hop({
    service: `gate${evil}way`,
    at: [1, 1],
    operation: evil,
    resource: evil,
    subject: user('dana'),
    actors: [{ ...agent('x'), id: evil }],
    decision: { outcome: 'deny', reason: evil },
  });
  const text = drawn(entries.all, () => evil);
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
});

test('no line is longer than 100 columns, however deep and wide the chain and long the names', () => {
  const entries = new Entries();
  const long = 'very-long-name-'.repeat(14);
  for (let n = 1; n <= 40; n += 1) {
    const at = n === 1 ? ([1, 1] as const) : ([1, n, n - 1] as const);
    const side = n % 2 === 0 ? ('caller' as const) : ('callee' as const);
    const scopes = ['read', 'write', long.slice(0, 200)];
    entries.hop({ service: `${n}-${long}`, side, at, operation: long, scopes, digest: 'T', actors: [service(long)] });
  }
  const text = drawn(entries.all, () => long);
  for (const line of text.split('\n')) assert.ok(line.length <= 100, `${line.length}: ${line}`);
  assert.match(text, /\(depth 21\) 21 {2}40-ver/, 'the deepest hop is there');
});

test('colour changes nothing but colour', () => {
  const answer = answerOf(stitch(delegatedCall().all)[0]);
  const coloured = renderChain(answer, { color: true });
  assert.notEqual(coloured, renderChain(answer));
  assert.equal(stripVTControlCharacters(coloured), renderChain(answer));
});

test('every hop of a cycle is drawn once', () => {
  const entries = new Entries();
  entries.hop({ service: 'a', side: 'local', at: [1, 1, 2] });
  entries.hop({ service: 'a', side: 'local', at: [1, 2, 1] });
  assert.equal(drawn(entries.all).match(/step inside the service/g)?.length, 2);
});
