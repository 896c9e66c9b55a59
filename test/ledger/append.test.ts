import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCheckpoint } from '@behalf/verify';
import { fsck, LedgerError } from '#ledger';
import { parseEntry } from '#observation';
import { indexesOf, range, temporaryFolder, testLog } from './harness.ts';
import { hop, hops, PLANNER } from './observations.ts';

test('what is appended reads back in order, under contiguous indexes, and the log is sound', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const sent = hops(700);
  assert.deepEqual(indexesOf(await ledger.append(sent)), range(0, 700));
  const entries = await log.reader.entries(0n, 1000);
  assert.deepEqual(
    entries.map((entry) => [entry.leafIndex, parseEntry(entry.bytes).id]),
    sent.map((observation, i) => [BigInt(i), observation.id]),
  );
  const checkpoint = await ledger.publish();
  assert.equal(checkpoint.size, 700n);
  await log.sound(700, ledger.verifierKey);
});

test('a checkpoint is signed whenever the log has grown, the first one of the empty log', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open({ origin: 'log.example/one' });
  assert.equal(ledger.origin, 'log.example/one');
  const notes: string[] = [];
  for (const count of [0, 1, 255, 1, 1, 300]) {
    await ledger.append(hops(count));
    await ledger.publish();
    notes.push((await log.reader.checkpoint())?.note ?? '');
  }
  const opened = await Promise.all(notes.map((note) => openCheckpoint(note, ledger.verifierKey)));
  assert.deepEqual(
    opened.map(({ size }) => size),
    [0n, 1n, 256n, 257n, 258n, 558n],
  );
  await log.sound(558, ledger.verifierKey);
});

test('a repeated observation is answered with its first index and stored once: in one call, across calls, restarts and servers', async (t) => {
  const log = await testLog(t);
  const one = await log.open();
  const [a, b, c] = [hop(), hop(), hop()];
  const duplicates = async (answers: ReturnType<typeof one.append>) =>
    (await answers).map((each) => (each.kind === 'sequenced' ? [each.leafIndex, each.duplicate] : each.reason));
  assert.deepEqual(await duplicates(one.append([a, b, a])), [
    [0n, false],
    [1n, false],
    [0n, true],
  ]);
  assert.deepEqual(await duplicates(one.append([b, c])), [
    [1n, true],
    [2n, false],
  ]);
  const two = await log.open();
  assert.deepEqual(await duplicates(two.append([c, a, hop()])), [
    [2n, true],
    [0n, true],
    [3n, false],
  ]);
  assert.deepEqual(await duplicates(one.append([hop(), b])), [
    [4n, false],
    [1n, true],
  ]);
  await one.close();
  const three = await log.open();
  assert.deepEqual(await duplicates(three.append([c, hop()])), [
    [2n, true],
    [5n, false],
  ]);
  await three.publish();
  await log.sound(6, three.verifierKey);
});

test('an observation that cannot be an entry is refused by itself; the rest of the call is stored', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const scopes = Array.from({ length: 256 }, (_, i) => `${i}`.padEnd(256, 'x'));
  const answers = await ledger.append([
    hop(),
    hop({ requiredScopes: scopes }),
    hop({ operation: 'a lone surrogate: \ud800' }),
    { ...hop(), id: 'not an id' },
    hop(),
  ]);
  assert.deepEqual(
    answers.map((each) => (each.kind === 'sequenced' ? each.leafIndex : each.reason)),
    [
      0n,
      answers[1]?.kind === 'refused' && /expected at most 65535/.test(answers[1].reason) ? answers[1].reason : 'size',
      'entry holds text or a number that has no canonical form (RFC 8785)',
      answers[3]?.kind === 'refused' && /\/id/.test(answers[3].reason) ? answers[3].reason : 'id',
      1n,
    ],
  );
  await log.sound(2);
});

test('a call larger than a transaction is stored whole and in order', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  assert.deepEqual(indexesOf(await ledger.append(hops(5000))), range(0, 5000));
  await ledger.publish();
  await log.sound(5000, ledger.verifierKey);
});

test('beyond what may wait a call is refused as overloaded before any of it is stored, and a larger one is let in alone', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open({ waiting: { entries: 10, bytes: 2 ** 20 } });
  const first = ledger.append(hops(10));
  await assert.rejects(ledger.append([hop()]), (error: unknown) => {
    assert.ok(error instanceof LedgerError);
    assert.deepEqual([error.code, error.retryable, error.retryAfterSeconds], ['overloaded', true, 1]);
    return true;
  });
  assert.deepEqual(indexesOf(await first), range(0, 10));
  assert.deepEqual(indexesOf(await ledger.append(hops(40))), range(10, 50));
  await log.sound(50);
});

test('ten times more than may wait: what is beyond it is refused at once, the rest is stored, and then there is room again', async (t) => {
  const log = await testLog(t);
  const limit = 200;
  const ledger = await log.open({ waiting: { entries: limit, bytes: 2 ** 20 } });
  const sent = hops(10 * limit);
  for (const _ of [1, 2]) {
    const calls = await Promise.allSettled(sent.map((each) => ledger.append([each])));
    const refused = calls.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 9 * limit);
    for (const each of refused) assert.equal(each.status === 'rejected' && each.reason.code, 'overloaded');
  }
  await log.sound(limit);
});

test('two servers race on one log: indexes are contiguous, nothing is lost or repeated', async (t) => {
  const log = await testLog(t);
  const servers = await Promise.all([log.open(), log.open()]);
  const sent = hops(1200);
  const calls = Array.from({ length: 120 }, (_, i) => sent.slice(10 * i, 10 * i + 10));
  const answers = await Promise.all(
    calls.map(async (call, i) => {
      const server = servers[i % 2];
      assert.ok(server !== undefined);
      if (i % 7 === 0) await server.publish();
      return indexesOf(await server.append(call));
    }),
  );
  const indexes = answers.flat();
  assert.deepEqual(
    indexes.toSorted((a, b) => Number(a - b)),
    range(0, 1200),
  );
  const entries = await log.reader.entries(0n, 2000);
  for (const [i, index] of indexes.entries()) {
    const { bytes } = entries[Number(index)] ?? assert.fail('missing');
    assert.equal(parseEntry(bytes).id, sent[i]?.id);
  }
  await servers[0].publish();
  await log.sound(1200, servers[0].verifierKey);
});

test('two logs in one database do not see each other', async (t) => {
  const log = await testLog(t);
  const first = await log.open();
  await first.append(hops(3));
  const second = await log.open({ logId: 2, keyFolder: await temporaryFolder(t) });
  assert.notEqual(first.origin, second.origin);
  assert.deepEqual(indexesOf(await second.append(hops(2))), range(0, 2));
  await Promise.all([first.publish(), second.publish()]);
  await log.sound(3, first.verifierKey);
  const report = await fsck({ database: log.database, logId: 2, verifierKey: second.verifierKey });
  assert.deepEqual([report.ok, report.entries], [true, 2n]);
});

test('after close every call is refused as closing, and what waited was stored and published', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  const waiting = ledger.append(hops(5, { subject: PLANNER }));
  while ((await log.reader.log()).size === 0n); // it has entered the queue
  const [answers] = await Promise.all([waiting, ledger.close()]);
  assert.deepEqual(indexesOf(answers), range(0, 5));
  await assert.rejects(ledger.append([hop()]), { name: 'LedgerError', code: 'closing' });
  assert.equal((await log.reader.checkpoint())?.size, 5n);
});
