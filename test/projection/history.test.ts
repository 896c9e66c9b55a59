import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain } from '#chains';
import type { Entry } from '#observation';
import { Entries, service } from '../chains/entries.ts';
import { testDatabase } from '../database.ts';
import { dump, LOG, project, record, storedChains } from './tables.ts';

const DAY = 86_400_000_000_000n;
const START = 1_793_439_700_000_000_000n;
const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };

interface Use {
  readonly day: number;
  readonly host?: string;
  readonly tool?: string;
  readonly needs?: string;
}

/** A robot’s calls to the vault, a trace and a token each. */
function usesOf(uses: readonly Use[]): readonly Entry[] {
  const entries = new Entries();
  for (const [i, { day, host = '10.0.0.1', tool = 'list', needs = 'vault.read' }] of uses.entries()) {
    entries.hop({
      service: 'vault',
      at: [i + 1, 1],
      digest: `T${i}`,
      scopes: ['vault.read', 'vault.write'],
      subject: service('robot'),
      transport: { protocol: 'mcp', peerAddress: `${host}:4${i}` },
      operation: tool,
      requiredScopes: [needs],
      time: String(START + BigInt(day) * DAY),
      ...permit,
    });
  }
  return entries.all.map(({ entry }) => entry);
}

const fortyDays: readonly Use[] = Array.from({ length: 40 }, (_, i) => ({ day: i }));

async function rulesOfLast(t: Parameters<typeof testDatabase>[0], uses: readonly Use[]): Promise<readonly string[]> {
  const database = await testDatabase(t);
  await project(database, await record(database, usesOf(uses)), 7);
  const chains = (await storedChains(database)) as Chain[];
  const last = chains.toSorted((a, b) => Number(BigInt(a.entries[0] ?? 0) - BigInt(b.entries[0] ?? 0))).at(-1);
  return last?.findings.map(({ rule }) => rule).toSorted() ?? [];
}

test('what is as always raises nothing but the scope nobody ever needed', async (t) => {
  assert.deepEqual(await rulesOfLast(t, [...fortyDays, { day: 40 }]), ['scope_unused']);
});

test('a new host, a new tool and a long silence are found by what earlier entries say', async (t) => {
  assert.deepEqual(await rulesOfLast(t, [...fortyDays, { day: 40, host: '10.9.9.9' }]), [
    'scope_unused',
    'unexpected_place',
  ]);
  assert.deepEqual(await rulesOfLast(t, [...fortyDays, { day: 40, tool: 'wipe', needs: 'vault.write' }]), [
    'tool_first_used',
  ]);
  assert.ok((await rulesOfLast(t, [...fortyDays, { day: 140 }])).includes('dormant_awakened'));
});

test('a party seen on few days has no habits', async (t) => {
  assert.deepEqual(await rulesOfLast(t, [...fortyDays.slice(0, 6), { day: 40, host: '10.9.9.9', tool: 'wipe' }]), []);
});

test('facts and what rules make of them are the same however the log is cut', async (t) => {
  const database = await testDatabase(t);
  const uses = [...fortyDays, { day: 40, host: '10.9.9.9' }, { day: 41, tool: 'wipe' }, { day: 41, host: '10.9.9.9' }];
  const cuts = [1, 7, 1000];
  const dumps: string[] = [];
  for (const [i, cut] of cuts.entries()) {
    const log = LOG + i;
    await project(database, await record(database, usesOf(uses), log), cut, log);
    dumps.push(JSON.stringify(await dump(database, log)).replaceAll(`(${log},`, '(log,'));
  }
  assert.equal(dumps[1], dumps[0]);
  assert.equal(dumps[2], dumps[0]);
  assert.match(dumps[0] ?? '', /unexpected_place/);
});
