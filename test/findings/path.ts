import { join } from 'node:path';
import fastify from 'fastify';
import { DEFAULT_THRESHOLDS, type Thresholds } from '#chains';
import { buildCollector } from '#collector';
import type { Database } from '#database';
import { openLedger } from '#ledger';
import { openLogReader, openPersonReader } from '#ledger/read';
import type { Observation } from '#observation';
import { startProjection, type ThresholdChanges } from '#projection';
import { type ChainSummary, type ChainsAnswer, queryApi } from '#query';
import { observationsOf } from '../query/api.ts';
import { apart, issuerApart, serviceApart } from './apart.ts';
import { logsRequestOf } from './otlp.ts';
import { pastOf } from './past.ts';
import type { Labelled } from './suite.ts';

/** What came out of the whole path for one scenario. */
export interface Judged {
  readonly labelled: Labelled;
  readonly chains: readonly ChainSummary[];
}

interface Sent {
  readonly labelled: Labelled;
  readonly observations: readonly Observation[];
  readonly past: readonly Observation[];
}

export interface PathOptions {
  readonly database: Database;
  readonly folder: string; // for the logs' keys
  readonly onAlarm: (error: unknown) => void;
}

/**
 * Sends scenarios as OTLP through collector, ledger, projection and query API. Those judged by the same thresholds share a log:
 * a log has one set.
 */
export async function judgeByPath(suite: readonly Labelled[], options: PathOptions): Promise<readonly Judged[]> {
  const groups = Map.groupBy(
    suite.map((labelled, i) => ({ labelled, name: `n${i}` })),
    ({ labelled }) => groupOf(labelled.setting.thresholds),
  );
  const judged: Judged[] = [];
  for (const [i, group] of [...groups.values()].entries()) {
    const sent = group.map(({ labelled, name }) => sentOf(labelled, name));
    const thresholds = thresholdsOf(group);
    judged.push(...(await judgeLog(sent, { ...options, logId: i + 1, thresholds })));
  }
  return judged;
}

function sentOf(labelled: Labelled, name: string): Sent {
  const observations = apart(observationsOf(labelled.entries), name);
  const { past } = labelled.setting;
  return { labelled, observations, past: past === undefined ? [] : apart(pastOf(observations, past), `${name}p`) };
}

/** Lists that name services and issuers are joined: each scenario has its own. */
const groupOf = (thresholds: Thresholds | undefined): string =>
  JSON.stringify({
    ...thresholds,
    audiences: thresholds?.audiences !== undefined,
    issuers: thresholds?.issuers.length,
  });

function thresholdsOf(group: readonly { readonly labelled: Labelled; readonly name: string }[]): ThresholdChanges {
  const audiences: Record<string, readonly string[]> = {};
  const issuers: string[] = [];
  for (const { labelled, name } of group) {
    for (const [service, list] of Object.entries(labelled.setting.thresholds?.audiences ?? {}))
      audiences[serviceApart(service, name)] = list;
    if ((labelled.setting.thresholds?.issuers.length ?? 0) > 0) issuers.push(issuerApart(name));
  }
  const { version: _, ...first } = group[0]?.labelled.setting.thresholds ?? DEFAULT_THRESHOLDS;
  return { ...first, audiences, issuers };
}

async function judgeLog(
  sent: readonly Sent[],
  { database, folder, logId, thresholds, onAlarm }: PathOptions & { logId: number; thresholds: ThresholdChanges },
): Promise<readonly Judged[]> {
  const keyFolder = join(folder, `keys-${logId}`);
  const ledger = await openLedger({ database, keyFolder, logId, onAlarm, publishIntervalMs: NEVER_MS });
  const collector = buildCollector({ ledger, idKey: new Uint8Array(32) });
  const projection = startProjection({ database, logId, thresholds, onAlarm });
  const log = openLogReader({ database, logId });
  const app = fastify();
  try {
    for (const part of [sent.flatMap(({ past }) => past), sent.flatMap(({ observations }) => observations)])
      await post(collector, part);
    await projection.caughtUp((await ledger.publish()).size);
    const persons = await openPersonReader({ database, logId, origin: ledger.origin, keyFolder });
    await app.register(queryApi, { database, log, persons, projection, verifierKey: ledger.verifierKey, logId });
    const chains = await allChains(app);
    const byTrace = indexOf(chains);
    return sent.map(({ labelled, observations }) => ({ labelled, chains: chainsOf(observations, byTrace) }));
  } finally {
    await app.close();
    await projection.close();
    await collector.close();
    await ledger.close();
  }
}

const NEVER_MS = 2 ** 31 - 1;
const BATCH = 200;

async function post(collector: ReturnType<typeof buildCollector>, observations: readonly Observation[]): Promise<void> {
  for (let from = 0; from < observations.length; from += BATCH) {
    const payload = logsRequestOf(observations.slice(from, from + BATCH));
    const response = await collector.inject({ method: 'POST', url: '/v1/logs', payload });
    if (response.statusCode !== 200 || response.body !== '{}') throw new Error(`the collector said ${response.body}`);
  }
}

async function allChains(app: ReturnType<typeof fastify>): Promise<readonly ChainSummary[]> {
  const chains: ChainSummary[] = [];
  let cursor: string | null = null;
  do {
    const page: ChainsAnswer = await chainsAfter(app, cursor);
    chains.push(...page.chains);
    cursor = page.next;
  } while (cursor !== null);
  return chains;
}

async function chainsAfter(app: ReturnType<typeof fastify>, cursor: string | null): Promise<ChainsAnswer> {
  const response = await app.inject(`/api/v1/chains?limit=200${cursor === null ? '' : `&cursor=${cursor}`}`);
  if (response.statusCode !== 200) throw new Error(`the query API said ${response.body}`);
  return response.json();
}

const indexOf = (chains: readonly ChainSummary[]): ReadonlyMap<string, ChainSummary> =>
  new Map(chains.flatMap((chain) => chain.traceIds.map((id) => [id, chain] as const)));

const chainsOf = (
  observations: readonly Observation[],
  byTrace: ReadonlyMap<string, ChainSummary>,
): readonly ChainSummary[] => [
  ...new Set(observations.flatMap(({ trace }) => (trace === undefined ? [] : (byTrace.get(trace.traceId) ?? [])))),
];
