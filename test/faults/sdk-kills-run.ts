import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCollector } from '#collector';
import type { Database } from '#database';
import { type Ledger, openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { AUDIENCE, tokenIssuer } from '../sdk/token-issuer.ts';
import { killRepeatedly } from './killed-host.ts';

/** The part of a test's context that is needed. */
export interface Cleanup {
  after(run: () => unknown): void;
}

export interface KillsReport {
  readonly asked: number;
  readonly answered: number;
  readonly entries: number;
  /** Answered requests that the ledger does not know. */
  readonly missing: number;
  /** Requests that the ledger knows twice. */
  readonly doubled: number;
  /** Sequence numbers the one sender used more than once. */
  readonly numbersReused: number;
  readonly senders: number;
}

/** A host with a spool, a real collector that is away every other time, a real ledger; says what the ledger holds at the end. */
export async function sdkKills(
  t: Cleanup,
  { database, kills }: { database: Database; kills: number },
): Promise<KillsReport> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-kills-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ledger = await openLedger({ database, keyFolder: join(folder, 'keys'), onAlarm: assert.ifError });
  t.after(() => ledger.close());
  const issuer = await tokenIssuer(t);
  const collector = await switchedCollector(t, ledger);
  const host = await killRepeatedly({
    kills,
    args: [issuer.issuer, issuer.jwksUri, AUDIENCE, collector.url, join(folder, 'spool')],
    token: () => issuer.sign(),
    between: (kill) => (kill === kills || kill % 2 === 0 ? collector.start() : collector.stop()),
  });
  const seen = await entriesOf(database, ledger.logId);
  const count = (id: string) => seen.resources.get(id) ?? 0;
  return {
    asked: host.asked,
    answered: host.answered.size,
    entries: seen.entries,
    missing: [...host.answered].filter((id) => count(id) === 0).length,
    doubled: [...seen.resources.values()].filter((times) => times > 1).length,
    numbersReused: seen.entries - seen.numbers.size,
    senders: seen.instances.size,
  };
}

async function entriesOf(database: Database, logId: number) {
  const log = openLogReader({ database, logId });
  const { size } = await log.log();
  const resources = new Map<string, number>();
  const numbers = new Set<string>();
  const instances = new Set<string>();
  for (let from = 0n; from < size; from += 1000n) {
    for (const { bytes } of await log.entries(from, 1000)) {
      const { resource, reporter } = JSON.parse(Buffer.from(bytes).toString());
      resources.set(resource, (resources.get(resource) ?? 0) + 1);
      numbers.add(`${reporter.instance} ${reporter.sequence}`);
      instances.add(reporter.instance);
    }
  }
  return { resources, numbers, instances, entries: Number(size) };
}

/** A collector that can be away, on one port. */
async function switchedCollector(t: Cleanup, ledger: Pick<Ledger, 'append'>) {
  let app: ReturnType<typeof buildCollector> | undefined;
  let port = 0;
  const start = async () => {
    if (app !== undefined) return;
    app = buildCollector({ ledger });
    port = Number(new URL(await app.listen({ host: '127.0.0.1', port })).port);
  };
  const stop = async () => {
    await app?.close();
    app = undefined;
  };
  t.after(stop);
  await start();
  return { url: `http://127.0.0.1:${port}`, start, stop };
}
