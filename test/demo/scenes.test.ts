import assert from 'node:assert/strict';
import { mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Chain, stitch } from '#chains';
import { buildCollector } from '#collector';
import { runDemo } from '#demo';
import { openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { parseEntry } from '#observation';
import { testDatabase } from '../database.ts';
import { ownTemporaryFolder } from './temporary-folder.ts';

/** Plays the demo against a real collector and ledger; gives its scenes' chains and the ledger's bytes. */
async function play(t: TestContext) {
  const database = await testDatabase(t);
  const folder = await ownTemporaryFolder(t);
  const keyFolder = await mkdtemp(join(folder, 'keys-'));
  const alarms: unknown[] = [];
  const ledger = await openLedger({ database, keyFolder, onAlarm: (error) => alarms.push(error) });
  t.after(() => ledger.close());
  const collector = buildCollector({ ledger });
  t.after(() => collector.close());
  const collectorUrl = await collector.listen({ host: '127.0.0.1', port: 0 });
  const { scenes } = await runDemo({ collectorUrl, onProgress: (says) => t.diagnostic(says) });
  const log = openLogReader({ database, logId: ledger.logId });
  const { size } = await log.log();
  const entries = await log.entries(0n, Number(size));
  const recorded = entries.map(({ leafIndex, bytes }) => ({ leafIndex, entry: parseEntry(bytes) }));
  const chains = stitch(recorded);
  const ofScene = (name: RegExp): Chain => {
    const { traceId } = scenes.find((scene) => name.test(scene.name)) ?? assert.fail(`no scene ${name}`);
    const found = chains.filter((chain) => chain.traceIds.includes(traceId));
    assert.equal(found.length, 1, 'one chain a scene');
    return found[0] ?? assert.fail();
  };
  assert.deepEqual(alarms, []);
  return { folder, entries, chains, paid: ofScene(/paid/), poisoned: ofScene(/poisoned/), stolen: ofScene(/stolen/) };
}

const rulesOf = (chain: Chain): string[] => [...new Set(chain.findings.map((finding) => finding.rule))].toSorted();
const namesOf = (parties: Chain['actors']): string[] => parties.map((party) => ('id' in party ? party.id : party.type));
const hopTo = (chain: Chain, service: string, operation: string) =>
  chain.hops.find((hop) => hop.to?.name === service && hop.operation === operation) ??
  assert.fail(`no hop to ${service} (${operation}): ${chain.hops.map((hop) => `${hop.to?.name} ${hop.operation}`)}`);

const linkTo = (chain: Chain, hopId: string) => chain.links.find(({ to }) => to === hopId);

test('the demo’s three scenes come out of the ledger as a permitted, an excessive and a suspicious chain', async (t) => {
  const { folder, entries, paid, poisoned, stolen } = await play(t);

  await t.test('a paid invoice is permitted, and every step of the delegation is proven by tokens', () => {
    assert.deepEqual([paid.verdict, rulesOf(paid)], ['permitted', []]);
    const last = hopTo(paid, 'books', 'record payment');
    assert.deepEqual(namesOf(last.actors), ['gateway', 'planner', 'payments']);
    assert.equal(last.subject?.type, 'user');
    for (const [service, operation, crossing] of [
      ['planner', 'POST /run', 'proven'],
      ['payments', 'tools/call pay_invoice', 'corroborated'], // the planner's plain spans tell no token
      ['books', 'record payment', 'proven'],
    ] as const) {
      const hop = hopTo(paid, service, operation);
      assert.equal(hop.grade, crossing, `crossing to ${service}: ${hop.rests.map(({ says }) => says)}`);
      assert.equal(linkTo(paid, hop.id)?.grade, 'proven', `link to ${service}`);
    }
    assert.deepEqual(paid.gaps, []);
    assert.equal(paid.completeness.complete, true, paid.completeness.says);
  });

  await t.test('a poisoned invoice is excessive: the issuer refused more scope, and so did the tool', () => {
    assert.deepEqual([poisoned.verdict, rulesOf(poisoned)], ['excessive', ['scope_exceeded']]);
    const refused = poisoned.exchanges.filter((exchange) => exchange.decision.outcome === 'deny');
    assert.deepEqual(
      refused.map(({ scopesHeld, scopesRequested }) => [scopesHeld, scopesRequested]),
      [[['invoice.pay'], ['payee.write', 'invoice.pay']]],
    );
    const addPayee = hopTo(poisoned, 'payments', 'tools/call add_payee');
    assert.deepEqual([addPayee.decision?.outcome, addPayee.requiredScopes], ['deny', ['payee.write']]);
    assert.equal(
      poisoned.hops.some((hop) => hop.to?.name === 'books'),
      false,
      'nothing was paid',
    );
  });

  await t.test('a stolen token is suspicious: books took it a second time, in a call nobody reports making', () => {
    assert.equal(stolen.verdict, 'suspicious');
    const rules = rulesOf(stolen);
    assert.ok(rules.includes('token_replayed') && rules.includes('orphan_hop'), rules.join(' '));
    assert.match(stolen.reason, /came again/);
    assert.equal(stolen.hops.length, 1);
  });

  await t.test('neither a token nor the user’s name stands in the bytes of the ledger', () => {
    const text = entries.map(({ bytes }) => Buffer.from(bytes).toString('utf8')).join('\n');
    assert.ok(entries.length > 20);
    assert.doesNotMatch(text, /eyJ[\w-]{8,}/, 'the first characters of every JWT');
    assert.doesNotMatch(text, /\bdana\b/);
    assert.doesNotMatch(text, /client_secret|Bearer /);
  });

  await t.test('nothing of the demo is left behind', async () => {
    assert.deepEqual(
      (await readdir(folder)).filter((name) => !name.startsWith('keys-')),
      [],
    );
    assert.equal(process.getActiveResourcesInfo().includes('ProcessWrap'), false);
  });
});
