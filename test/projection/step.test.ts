import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chain, stitch } from '#chains';
import type { Entry } from '#observation';
import { MAX_USES } from '../../src/projection/assign.ts';
import { searchable } from '../../src/projection/searchable.ts';
import { takeIn } from '../../src/projection/step.ts';
import { agent, delegatedCall, Entries, service, traceOf, user } from '../chains/entries.ts';
import { entriesOf, wideWorld } from '../chains/world.ts';
import { testDatabase } from '../database.ts';
import { dump, LOG, project, record, storedChains } from './tables.ts';

const bodies = (entries: Entries): Entry[] => entries.all.map(({ entry }) => entry);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('the stored chains are what stitching all entries gives', async (t) => {
  const database = await testDatabase(t);
  const entries = delegatedCall(delegatedCall(), 2);
  await project(database, await record(database, bodies(entries)), 4);
  assert.deepEqual(await storedChains(database), plain(stitch(entries.all)));
});

test('whatever the entries and however they are batched, the tables are the same and hold the same chains', async (t) => {
  const database = await testDatabase(t);
  let logId = 100;
  await fc.assert(
    fc.asyncProperty(wideWorld, fc.integer({ min: 1, max: 6 }), async (world, at) => {
      const entries = entriesOf(world);
      const [here, there] = [logId, logId + 1];
      logId += 2;
      const content = entries.map(({ entry }) => entry);
      await project(database, await record(database, content, here), at, here);
      await project(database, await record(database, content, there), 1000, there);
      assert.deepEqual(await storedChains(database, here), plain(stitch(entries)));
      const text = (dumped: Record<string, readonly string[]>, id: number) =>
        JSON.stringify(dumped).replaceAll(`(${id},`, '(log,');
      assert.equal(text(await dump(database, here), here), text(await dump(database, there), there));
    }),
    { numRuns: 40 },
  );
});

test('a batch taken twice, or by two followers at once, counts once', async (t) => {
  const database = await testDatabase(t);
  const batch = await record(database, bodies(delegatedCall()));
  const both = await Promise.all([takeIn(database, LOG, batch), takeIn(database, LOG, batch)]);
  assert.deepEqual(
    both.map(({ position }) => position),
    [11n, 11n],
  );
  const once = await dump(database);
  await takeIn(database, LOG, batch);
  assert.deepEqual(await dump(database), once);
});

test('a batch that does not follow on the position changes nothing', async (t) => {
  const database = await testDatabase(t);
  const batch = await record(database, bodies(delegatedCall()));
  assert.equal((await takeIn(database, LOG, batch.slice(5))).position, 0n);
  assert.equal((await dump(database)).chain?.length, 0);
});

test('a step that fails leaves the step before', async (t) => {
  const database = await testDatabase(t);
  const batch = await record(database, bodies(delegatedCall(delegatedCall(), 2)));
  await takeIn(database, LOG, batch.slice(0, 11));
  const before = await dump(database);
  await database
    .pool('owner')
    .query(`alter table behalf.hop add constraint broken check (from_service <> 'payments') not valid`);
  await assert.rejects(takeIn(database, LOG, batch.slice(11)), /broken/);
  assert.deepEqual(await dump(database), before);
  await database.pool('owner').query('alter table behalf.hop drop constraint broken');
  assert.equal((await takeIn(database, LOG, batch.slice(11))).position, 22n);
});

test('late entries join the chain they belong to, and two chains become one', async (t) => {
  const database = await testDatabase(t);
  const entries = new Entries();
  entries.hop({ service: 'a', at: [1, 1] });
  entries.hop({ service: 'b', at: [2, 1] });
  const { traceId, spanId } = traceOf([2, 1]);
  const spanRef = { traceId, spanId };
  entries.hop({
    service: 'a',
    side: 'caller',
    at: [1, 2, 1],
    cause: spanRef,
  });
  const batch = await record(database, bodies(entries));
  await takeIn(database, LOG, batch.slice(0, 2));
  assert.equal((await storedChains(database)).length, 2);
  await takeIn(database, LOG, batch.slice(2));
  assert.deepEqual(await storedChains(database), plain(stitch(entries.all)));
  assert.equal((await dump(database)).entry_set?.length, 1);
});

test('an entry nobody can read is counted and stops nothing', async (t) => {
  const database = await testDatabase(t);
  const [first, ...rest] = await record(database, bodies(delegatedCall()));
  const broken = [{ leafIndex: first?.leafIndex ?? 0n, bytes: Buffer.from('{"v":2}') }, ...rest];
  const step = await takeIn(database, LOG, broken);
  assert.equal(step.position, 11n);
  assert.match(step.unread[0]?.reason ?? '', /expected kind/);
  assert.equal((await dump(database)).unread_entry?.length, 1);
  assert.equal((await storedChains(database)).length, 1);
});

test('the same observation id twice is the entry that came first', async (t) => {
  const database = await testDatabase(t);
  const entries = new Entries();
  const { entry } = entries.hop({ service: 'a', at: [1, 1] });
  const batch = await record(database, [entry, { ...entry, reporter: { ...entry.reporter, service: 'z' } }]);
  await project(database, batch, 1);
  await project(database, batch.slice(0, 0));
  const [chain] = (await storedChains(database)) as { services: string[] }[];
  assert.deepEqual(chain?.services, ['a']);
});

test('text that PostgreSQL or its indexes cannot hold, and times beyond any clock, stop nothing', async (t) => {
  const database = await testDatabase(t);
  const entries = new Entries();
  const long = (id: string) => ({ ...service(id.padEnd(2048, '€')), issuer: `https://${'€'.repeat(2000)}` });
  entries.hop({
    service: 'nul\u0000byte'.padEnd(255, '\u{1f600}').slice(0, 254),
    at: [1, 1],
    operation: '\u0000',
    resource: '€'.repeat(512),
    scopes: ['s\u0000', '€'.repeat(256)],
    digest: 'T',
    time: '99999999999999999999',
    actors: [long('a'), long('b')],
    subject: long('c'),
  });
  await project(database, await record(database, bodies(entries)));
  assert.equal((await storedChains(database)).length, 1);
  assert.notEqual(searchable(`a${'€'.repeat(2000)}`), searchable(`a${'€'.repeat(2001)}`));
});

test('no person stands in the tables by name: only a reference and what is sealed', async (t) => {
  const database = await testDatabase(t);
  const entries = new Entries();
  entries.hop({ service: 'a', at: [1, 1], subject: user('dana'), actors: [agent('planner')] });
  await project(database, await record(database, bodies(entries)));
  const { party } = await dump(database);
  assert.deepEqual(party?.length, 2);
  assert.ok(
    party?.some((row) => /^\(1,p_[0-9a-f]{32},user,,\)$/.test(row)),
    party?.join('\n'),
  );
});

test('the projector writes its own tables and no other, and the reader writes none', async (t) => {
  const database = await testDatabase(t);
  const may = async (role: string, table: string, privilege: string) => {
    const { rows } = await database
      .pool('owner')
      .query<{ may: boolean }>('select has_table_privilege($1::text, $2::text, $3::text) as may', [
        role,
        table,
        privilege,
      ]);
    return rows[0]?.may;
  };
  for (const table of ['behalf.entry_bundle', 'behalf.log']) {
    for (const privilege of ['insert', 'update', 'delete', 'truncate'])
      assert.equal(await may('behalf_projector', table, privilege), false, `${privilege} on ${table}`);
  }
  assert.equal(await may('behalf_projector', 'behalf.person', 'select'), false, 'it has no keys');
  for (const table of ['behalf.chain', 'behalf.hop', 'behalf.projection']) {
    assert.equal(await may('behalf_projector', table, 'insert'), true);
    assert.equal(await may('behalf_reader', table, 'select'), true);
    for (const privilege of ['insert', 'update', 'delete', 'truncate'])
      assert.equal(await may('behalf_reader', table, privilege), false);
  }
});

test('a token used more often than is joined: chains say that they are bounded, and nothing is concluded from absence', async (t) => {
  const database = await testDatabase(t);
  const entries = new Entries();
  for (let n = 1; n <= MAX_USES + 20; n += 1)
    entries.hop({ service: 'a', at: [n, 1], digest: 'T', subject: user('dana'), actors: [agent('planner')] });
  await project(database, await record(database, bodies(entries)), 37);
  const { entry_set: sets = [] } = await dump(database);
  assert.equal(sets.length, 21, 'the first uses are one set, each later one is its own');
  const chains = (await storedChains(database)) as Chain[];
  assert.equal(chains.length, MAX_USES + 20);
  for (const { completeness, findings } of chains) {
    assert.deepEqual([completeness.complete, completeness.bounded], [false, true]);
    assert.match(completeness.says, /more entries than are stitched together/);
    assert.deepEqual(findings, []);
  }
});
