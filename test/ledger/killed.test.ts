import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEntry } from '#observation';
import { type TestLog, testLog } from './harness.ts';

const ROUNDS = 4;

/** A server under load and what it acknowledged: whole lines only, for the last one may be cut. */
function startServer(t: TestContext, log: TestLog): { child: ChildProcess; acknowledged: () => string[] } {
  const script = join(import.meta.dirname, 'appending-process.ts');
  const child = spawn(process.execPath, ['--conditions=behalf-source', script, log.database.url, log.keyFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let told = '';
  child.stdout?.on('data', (chunk) => {
    told += chunk;
  });
  return { child, acknowledged: () => told.split('\n').slice(0, -1) };
}

/** The server's connections end a moment after it: until then a last commit may come. */
async function untilGone(log: TestLog): Promise<void> {
  const left = `select 1 from pg_stat_activity where datname = current_database() and application_name = 'behalf-writer'`;
  while ((await log.database.pool('owner').query(left)).rows.length > 0) await sleep(10);
}

test(`servers killed under load, one alone and two at once: every acknowledged observation is there exactly once, at its index`, async (t) => {
  const log = await testLog(t);
  const acknowledged = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const servers = Array.from({ length: 1 + (round % 2) }, () => startServer(t, log));
    while (servers.some((server) => server.acknowledged().length < 50)) {
      for (const { child } of servers) assert.equal(child.exitCode, null, 'a server ended by itself');
      await sleep(5);
    }
    await sleep(Math.random() * 100);
    for (const { child } of servers) child.kill('SIGKILL');
    await Promise.all(servers.map(({ child }) => once(child, 'close')));
    await untilGone(log);
    for (const line of servers.flatMap((server) => server.acknowledged())) {
      const [id = '', index = ''] = line.split(' ');
      acknowledged.set(id, index);
    }
    await log.sound(Number((await log.reader.log()).size));
  }
  const stored = await storedIds(log);
  for (const [id, index] of acknowledged) assert.equal(stored[Number(index)], id);
  assert.equal(new Set(stored).size, stored.length);
  const ledger = await log.open();
  await ledger.publish();
  await log.sound(stored.length, ledger.verifierKey);
});

async function storedIds(log: TestLog): Promise<string[]> {
  const ids: string[] = [];
  for (let page = await log.reader.entries(0n, 1000); page.length > 0; ) {
    ids.push(...page.map(({ bytes }) => parseEntry(bytes).id));
    page = await log.reader.entries(BigInt(ids.length), 1000);
  }
  return ids;
}
