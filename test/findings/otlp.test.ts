import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Recorded } from '#chains';
import { buildCollector } from '#collector';
import type { Observation } from '#observation';
import type { ChainSummary, ChainsAnswer } from '#query';
import { observationsOf, testApi } from '../query/api.ts';
import { logsRequestOf } from './otlp.ts';
import { type Labelled, labelledSuite } from './suite.ts';

/** What a record of the SDK cannot carry: a second account of the same span by another vocabulary. */
const NEEDS_SPANS = ['baggage_contradicts'];

test('attacks and look-alikes sent as OTLP come out of ledger, projection and query API as labelled', async (t) => {
  const { app, ledger, projection, get } = await testApi(t);
  const collector = buildCollector({ ledger, idKey: new Uint8Array(32) });
  t.after(() => collector.close());
  const suite = labelledSuite(11, 2).filter(
    ({ rule, setting }) => Object.keys(setting).length === 0 && !NEEDS_SPANS.includes(rule),
  );
  assert.ok(new Set(suite.map(({ rule }) => rule)).size >= 18);
  const sent = suite.map((labelled, i) => ({ labelled, observations: apart(labelled.entries, i) }));
  for (const { observations, labelled } of sent) {
    const payload = logsRequestOf(observations);
    const response = await collector.inject({ method: 'POST', url: '/v1/logs', payload });
    assert.deepEqual([response.statusCode, response.json()], [200, {}], labelled.rule);
  }
  await projection.caughtUp((await ledger.publish()).size);
  const chains: ChainSummary[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: ChainsAnswer = await get(`/api/v1/chains?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`);
    chains.push(...page.chains);
    cursor = page.next;
  }
  for (const { labelled, observations } of sent) assertLabel(labelled, chainsOf(observations, chains));
  await app.close();
});

const chainsOf = (observations: readonly Observation[], chains: readonly ChainSummary[]): readonly ChainSummary[] => {
  const traces = new Set(observations.map(({ trace }) => trace?.traceId));
  return chains.filter(({ traceIds }) => traceIds.some((id) => traces.has(id)));
};

function assertLabel({ rule, kind }: Labelled, chains: readonly ChainSummary[]): void {
  assert.ok(chains.length > 0, rule);
  const found = new Set(chains.flatMap(({ findings }) => findings));
  assert.equal(found.has(rule), kind === 'attack', `${kind} of ${rule}: found ${[...found].join(', ')}`);
  if (kind === 'benign')
    for (const { verdict } of chains) assert.notEqual(verdict, 'suspicious', `${rule}: ${[...found].join(', ')}`);
}

/** The same with ids, traces and tokens of its own, so that scenarios do not meet. */
function apart(entries: readonly Recorded[], number: number): readonly Observation[] {
  const hash = (value: string) => createHash('sha256').update(`${number} ${value}`).digest('hex');
  const text = JSON.stringify(observationsOf(entries), (_, value) => {
    if (typeof value !== 'string') return value;
    if (/^[0-9a-f]{64}$/.test(value)) return hash(value);
    if (/^[0-9a-f]{32}$/.test(value)) return hash(value).slice(0, 32);
    if (/^019a0000-0000-7000-8000-/.test(value)) return `019a0000-0000-7000-8000-${hash(value).slice(0, 12)}`;
    return value;
  });
  return JSON.parse(text);
}
