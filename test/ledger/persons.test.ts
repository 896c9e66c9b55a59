import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTlogProof, leafHash } from '@behalf/verify';
import type { Database } from '#database';
import { openPersonReader } from '#ledger/read';
import { type Entry, type EntryParty, parseEntry, partiesIn, type SealedPerson } from '#observation';
import { type TestLog, temporaryFolder, testLog } from './harness.ts';
import { ALICE, exchange, hop, hops, PLANNER } from './observations.ts';

const reading = (log: TestLog, origin: string) =>
  openPersonReader({ database: log.database, logId: 1, origin, keyFolder: log.keyFolder });

async function entries(log: TestLog): Promise<Entry[]> {
  return (await log.reader.entries(0n, 1000)).map(({ bytes }) => parseEntry(bytes));
}

function sealed(party: EntryParty | undefined): SealedPerson {
  return party !== undefined && 'sealed' in party ? party : assert.fail('expected a sealed person');
}

const personsOf = (entry: Entry): SealedPerson[] =>
  partiesIn(entry).flatMap((party) => ('sealed' in party ? [party] : []));

const subjectOf = (entry: Entry | undefined): EntryParty | undefined =>
  entry?.kind === 'hop' ? entry.subject : assert.fail('expected a hop');

/** Every column of every table of every schema of ours, as text. */
async function wholeDatabase(database: Database): Promise<string> {
  const owner = database.pool('owner');
  const { rows } = await owner.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  );
  assert.ok(rows.length > 6);
  const texts: string[] = [];
  for (const { name } of rows) {
    const { rows: found } = await owner.query<{ row: string; bytes: string }>(
      `select t::text as row, encode(convert_to(t::text, 'UTF8'), 'escape') as bytes from ${name} t`,
    );
    for (const { row } of found) {
      texts.push(
        row,
        ...[...row.matchAll(/\\+x([0-9a-f]+)/g)].map(([, hex]) => Buffer.from(hex ?? '', 'hex').toString('latin1')),
      );
    }
  }
  return texts.join('\n');
}

test('no person’s id and no public address stands in clear anywhere in the database', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const stranger = { type: 'unknown', id: 'mallory@rabbit.example', basis: 'unverified' } as const;
  await ledger.append([
    hop({ subject: ALICE, initiator: stranger, peer: ALICE, actors: [ALICE, PLANNER, stranger] }),
    exchange(ALICE),
    exchange(stranger),
    hop({ transport: { protocol: 'http', peerAddress: '203.0.113.7:51111' } }),
    hop({ transport: { protocol: 'http', peerAddress: '2001:db8::17' } }),
    hop({ transport: { protocol: 'http', peerAddress: 'dsl-7.carroll.example' } }),
  ]);
  await ledger.publish();
  const everything = await wholeDatabase(log.database);
  assert.ok(everything.includes('planner'), 'the scan sees the bytes of entries');
  for (const secret of ['alice', 'mallory', 'rabbit', '203.0.113.7', '2001:db8', 'carroll']) {
    assert.ok(!everything.toLowerCase().includes(secret), `${secret} stands in the database`);
  }
  const [first, second] = await entries(log);
  assert.equal(personsOf(first ?? assert.fail()).length, 5);
  assert.equal(personsOf(second ?? assert.fail()).length, 3);
});

test('one person has one reference, whatever type a reporter gives, and each mention is sealed anew', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const other = await log.open();
  await ledger.append([hop({ subject: ALICE })]);
  await other.append([hop({ subject: { ...ALICE, type: 'unknown' } })]);
  await ledger.append([hop({ subject: { ...ALICE, issuer: 'https://elsewhere.example' } })]);
  const [a, b, elsewhere] = (await entries(log)).map((entry) => sealed(subjectOf(entry)));
  assert.equal(a?.ref, b?.ref);
  assert.notEqual(a?.sealed, b?.sealed);
  assert.notEqual(a?.ref, elsewhere?.ref);
  const persons = await reading(log, ledger.origin);
  assert.equal(await persons.findRef(ALICE), a?.ref);
  assert.equal(await persons.findRef({ ...ALICE, id: 'alice' }), undefined);
});

test('a reader with the key folder opens what was sealed; with another one nothing', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append([hop(), exchange({ ...ALICE, id: 'ëlise ☃' })]);
  const persons = (await entries(log)).flatMap(personsOf);
  const opened = await (await reading(log, ledger.origin)).open(persons);
  assert.deepEqual(
    persons.map(({ sealed: value }) => opened.get(value)),
    [ALICE.id, 'ëlise ☃', 'ëlise ☃', 'ëlise ☃'],
  );
  const empty = { database: log.database, logId: 1, origin: ledger.origin, keyFolder: await temporaryFolder(t) };
  await assert.rejects(openPersonReader(empty), { code: 'key', message: /persons\.key: not there/ });
  const elsewhere = await testLog(t);
  await elsewhere.open();
  const foreign = await openPersonReader({ ...empty, keyFolder: elsewhere.keyFolder });
  await assert.rejects(foreign.open(persons), { name: 'SealError' });
  const other = await openPersonReader({ ...empty, keyFolder: log.keyFolder, origin: 'log.example/other' });
  await assert.rejects(other.open(persons), { name: 'SealError' });
});

test('a sealed value that was altered anywhere is refused', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(1));
  const [person] = (await entries(log)).flatMap(personsOf);
  assert.ok(person !== undefined);
  const persons = await reading(log, ledger.origin);
  const bytes = Buffer.from(person.sealed, 'base64url');
  for (let i = 0; i < bytes.length; i += 1) {
    const altered = Buffer.from(bytes);
    altered[i] = (altered[i] ?? 0) ^ 1;
    await assert.rejects(persons.open([{ ...person, sealed: altered.toString('base64url') }]), { name: 'SealError' });
  }
  for (const odd of ['', '=', `${person.sealed}=`, person.sealed.slice(0, 40)]) {
    await assert.rejects(persons.open([{ ...person, sealed: odd }]), { name: 'SealError' });
  }
});

test('an erased person opens as nothing and every proof still verifies; a later mention is of someone new', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append([hop(), hop({ subject: { ...ALICE, id: 'dinah' } })]);
  await ledger.publish();
  const before = (await entries(log)).map((entry) => sealed(subjectOf(entry)));
  await log.database.pool('owner').query('delete from behalf.person where log_id = 1 and ref = $1', [before[0]?.ref]);
  const persons = await reading(log, ledger.origin);
  const opened = await persons.open(before);
  assert.deepEqual(
    before.map(({ sealed: value }) => opened.get(value)),
    [undefined, 'dinah'],
  );
  assert.equal(await persons.findRef(ALICE), undefined);
  for (const index of [0n, 1n]) {
    const proof = (await log.reader.prove(index)) ?? assert.fail('no proof');
    const leaf = leafHash((await log.reader.entry(index)) ?? assert.fail('no entry'));
    await checkTlogProof({ proof, leaf, verifierKey: ledger.verifierKey });
  }
  await log.sound(2, ledger.verifierKey);
  const restarted = await log.open();
  await restarted.append([hop()]);
  const later = sealed(subjectOf((await entries(log))[2]));
  assert.notEqual(later.ref, before[0]?.ref);
  assert.deepEqual([...(await persons.open([later])).values()], [ALICE.id]);
});
