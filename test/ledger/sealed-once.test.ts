import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEntry } from '#observation';
import { testLog } from './harness.ts';
import { ALICE, hop } from './observations.ts';

test('a person is sealed once for each call: equal references have equal values within it and in no other', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const dinah = { ...ALICE, id: 'dinah' };
  await ledger.append([hop({ subject: ALICE, actors: [dinah] }), hop({ subject: ALICE, actors: [ALICE] })]);
  await ledger.append([hop({ subject: ALICE, actors: [dinah] })]);
  const entries = (await log.reader.entries(0n, 10)).map(({ bytes }) => parseEntry(bytes));
  const [first, second, later] = entries.map((entry) => {
    assert.ok(entry.kind === 'hop');
    return [entry.subject, ...entry.actors].map((party) =>
      party !== undefined && 'sealed' in party ? party : assert.fail('a person in clear'),
    );
  });
  assert.ok(first !== undefined && second !== undefined && later !== undefined);
  const values = [...first, ...second, ...later].map(({ sealed }) => sealed);
  assert.equal(new Set(values).size, 4, 'two persons in two calls');
  assert.equal(first[0]?.sealed, second[0]?.sealed);
  assert.equal(second[0]?.sealed, second[1]?.sealed);
  const openings = new Map([...first, ...second, ...later].map(({ ref, sealed }) => [sealed, ref]));
  const salts = new Set(values.map((sealed) => Buffer.from(sealed, 'base64url').subarray(1, 17).toString('hex')));
  assert.equal(salts.size, openings.size, 'no salt stands at two values');
});
