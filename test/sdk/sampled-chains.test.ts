import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Chain, type Recorded, stitch } from '#chains';
import { buildCollector } from '#collector';
import { openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { testDatabase } from '../database.ts';
import { AUDIENCE, type TokenIssuer, tokenIssuer } from './token-issuer.ts';

/** A real collector over a real ledger; `since` gives what came after an entry. */
async function ledgerOf(t: TestContext) {
  const database = await testDatabase(t);
  const folder = await mkdtemp(join(tmpdir(), 'behalf-sampled-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ledger = await openLedger({ database, keyFolder: join(folder, 'keys'), onAlarm: assert.ifError });
  t.after(() => ledger.close());
  const collector = buildCollector({ ledger });
  t.after(() => collector.close());
  const url = await collector.listen({ host: '127.0.0.1', port: 0 });
  const log = openLogReader({ database, logId: ledger.logId });
  const since = async (from: bigint): Promise<readonly Recorded[]> => {
    const entries = await log.entries(from, 1000);
    return entries.map(({ leafIndex, bytes }) => ({ leafIndex, entry: JSON.parse(Buffer.from(bytes).toString()) }));
  };
  return { url, since };
}

async function startService(t: TestContext, args: readonly string[], ratio: string, collectorUrl: string) {
  const env = {
    ...process.env,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: ratio,
    OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  };
  const node = ['--conditions=behalf-source', join(import.meta.dirname, 'sampled-host.ts'), ...args];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'], env });
  t.after(() => child.kill('SIGKILL'));
  const [port] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => ['the service ended']),
  ]);
  assert.match(String(port), /^\d+\n$/);
  const stop = async () => {
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  };
  return { url: `http://127.0.0.1:${Number(port)}`, stop };
}

/** A gateway calls payments: twice with what it takes, once without the scope, once without a token. */
async function play(t: TestContext, issuer: TokenIssuer, o: { ratio: string; collectorUrl: string }): Promise<void> {
  const common = [issuer.issuer, issuer.jwksUri, AUDIENCE, o.collectorUrl];
  const payments = await startService(t, ['payments', ...common], o.ratio, o.collectorUrl);
  const gateway = await startService(t, ['gateway', ...common, payments.url], o.ratio, o.collectorUrl);
  // Where a token names no actor, an exported span adds the service it comes from, known by its resource alone.
  const act = { sub: 'planner', sub_profile: 'ai_agent' };
  const tokens = [
    await issuer.sign({ jti: 'a', act }),
    await issuer.sign({ jti: 'b', act: { sub: 'gateway', act } }),
    await issuer.sign({ scope: 'x', act }),
  ];
  for (const token of [...tokens, undefined]) {
    await fetch(`${gateway.url}/pay`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  }
  await gateway.stop();
  await payments.stop();
}

/** A chain without what is new in each run: ids, times, ports, how many entries tell it. */
function shapeOf({ hops, links, gaps, findings, completeness, verdict }: Chain) {
  const place = (id: string | null) => hops.findIndex((hop) => hop.id === id);
  return {
    hops: hops.map((hop) => ({
      sides: [hop.kind, hop.from?.name, hop.to?.name, hop.callerEntries.length > 0, hop.calleeEntries.length > 0],
      operation: hop.operation?.replace(/:\d+/, ''),
      known: [hop.grade, hop.verdict, hop.decision?.outcome, hop.decision?.reason, hop.outcome?.code],
      identity: [
        hop.subject?.type,
        hop.actors.map(({ type }) => type),
        hop.authority?.scopes,
        hop.verification?.status,
      ],
    })),
    links: links.map(({ from, to, grade }) => [place(from), place(to), grade]),
    gaps: gaps.map(({ kind, hop }) => [kind, place(hop)]),
    findings: findings.map(({ rule, hop }) => [rule, place(hop)]),
    known: [completeness.complete, verdict],
  };
}

test('with sampling at 0 %, 1 % and 100 % the same chains come out, the exported spans among what is stitched', async (t) => {
  const [issuer, ledger] = [await tokenIssuer(t), await ledgerOf(t)];
  const shapes: unknown[] = [];
  let from = 0n;
  for (const ratio of ['0', '0.01', '1']) {
    await play(t, issuer, { ratio, collectorUrl: ledger.url });
    const recorded = await ledger.since(from);
    from += BigInt(recorded.length);
    shapes.push(
      stitch(recorded)
        .map(shapeOf)
        .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    );
  }
  const [none, few, all] = shapes as (readonly ReturnType<typeof shapeOf>[])[];
  assert.equal(none?.length, 4, 'a chain for each request');
  assert.ok(none?.some(({ links }) => links.some(([, , grade]) => grade === 'proven')));
  assert.deepEqual(few, none);
  assert.deepEqual(all, none);
});
