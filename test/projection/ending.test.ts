import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain } from '#chains';
import type { Entry } from '#observation';
import { digest, Entries, service, user } from '../chains/entries.ts';
import { testDatabase } from '../database.ts';
import { dump, LOG, project, record, storedChains } from './tables.ts';

const AT = 1_793_439_700_000_000_000n;
const HOUR = 3_600_000_000_000n;
const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };

const call = (entries: Entries, trace: number, token: string) =>
  entries.hop({
    service: 'vault',
    at: [trace, 1],
    digest: token,
    subject: service('robot'),
    time: String(AT),
    ...permit,
  });

const revoke = (entries: Entries, party: ReturnType<typeof service>, hours: number, effect: 'revoked' | 'restored') =>
  entries.revocation({ target: { party }, effect, time: String(AT + BigInt(hours) * HOUR) });

async function found(t: Parameters<typeof testDatabase>[0], entries: Entries, cut = 3): Promise<readonly boolean[]> {
  const database = await testDatabase(t);
  const all: readonly Entry[] = entries.all.map(({ entry }) => entry);
  await project(database, await record(database, all), cut);
  const chains = (await storedChains(database)) as Chain[];
  return chains
    .toSorted((a, b) => Number(BigInt(a.entries[0] ?? 0) - BigInt(b.entries[0] ?? 0)))
    .map(({ findings }) => findings.some(({ rule }) => rule === 'after_offboarding'));
}

test('a call after the offboarding of its party is found when the offboarding was said before, and names its entry', async (t) => {
  const entries = new Entries();
  revoke(entries, service('robot'), -1, 'revoked');
  call(entries, 1, 'A');
  const database = await testDatabase(t);
  await project(
    database,
    await record(
      database,
      entries.all.map(({ entry }) => entry),
    ),
  );
  const [chain] = (await storedChains(database)) as Chain[];
  const finding = chain?.findings.find(({ rule }) => rule === 'after_offboarding');
  assert.equal(chain?.verdict, 'suspicious');
  assert.deepEqual(
    finding?.facts.map((fact) => fact.entries),
    [['1'], ['0']],
  );
});

test('neither is one before it, nor one of somebody else, nor one after the return', async (t) => {
  const later = new Entries();
  revoke(later, service('robot'), 1, 'revoked');
  call(later, 1, 'A');
  assert.deepEqual(await found(t, later), [false]);
  const other = new Entries();
  revoke(other, service('robot2'), -1, 'revoked');
  call(other, 1, 'A');
  assert.deepEqual(await found(t, other), [false]);
  const back = new Entries();
  revoke(back, service('robot'), -2, 'revoked');
  revoke(back, service('robot'), -1, 'restored');
  call(back, 1, 'A');
  assert.deepEqual(await found(t, back), [false]);
});

test('an offboarding said after a chain counts for what is said of it later, a token’s revocation at once', async (t) => {
  const entries = new Entries();
  call(entries, 1, 'A');
  call(entries, 2, 'B');
  call(entries, 3, 'C');
  revoke(entries, service('robot'), -1, 'revoked');
  entries.revocation({ target: { token: digest('B') }, effect: 'revoked', time: String(AT - HOUR) });
  entries.hop({ service: 'vault', side: 'local', at: [3, 2, 1], time: String(AT) });
  for (const cut of [1, 2, 100]) assert.deepEqual(await found(t, entries, cut), [false, true, true]);
});

test('persons are offboarded by their reference', async (t) => {
  const entries = new Entries();
  const dana = user('dana');
  entries.revocation({ target: { party: dana }, effect: 'revoked', time: String(AT - HOUR) });
  entries.hop({ service: 'vault', at: [1, 1], digest: 'A', subject: dana, time: String(AT), ...permit });
  entries.hop({ service: 'vault', at: [2, 1], digest: 'B', subject: user('erin'), time: String(AT), ...permit });
  assert.deepEqual(await found(t, entries), [true, false]);
});

test('who shares a credential stands in the tables however the log is cut, and goes with what was stitched', async (t) => {
  const database = await testDatabase(t);
  const entries = new Entries();
  for (const [i, name] of ['a', 'b'].entries()) {
    const span = 10 * i;
    entries.hop({
      service: name,
      side: 'caller',
      at: [i + 1, span + 1],
      digest: 'K',
      verified: false,
      subject: service('robot'),
    });
    entries.hop({
      service: 'vault',
      at: [i + 1, span + 2, span + 1],
      digest: 'K',
      subject: service('robot'),
      ...permit,
    });
  }
  const all = entries.all.map(({ entry }) => entry);
  const dumps: string[] = [];
  for (const [i, cut] of [1, 3, 100].entries()) {
    const log = LOG + i;
    await project(database, await record(database, all, log), cut, log);
    dumps.push(JSON.stringify(await dump(database, log)).replaceAll(`(${log},`, '(log,'));
  }
  assert.equal(dumps[1], dumps[0]);
  assert.equal(dumps[2], dumps[0]);
  const { rows } = await database
    .pool('reader')
    .query<{ workload: string }>(
      'select workload from behalf.shared_credential where log_id = 1 and digest = $1::text order by workload',
      [digest('K')],
    );
  assert.deepEqual(
    rows.map(({ workload }) => workload),
    ['a', 'b'],
  );
});
