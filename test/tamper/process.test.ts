import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stitch } from '#chains';
import { LedgerError } from '#ledger';
import { prepareBatch } from '../../src/ledger/batch.ts';
import { EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { digestLeaf } from '../../src/ledger/hash.ts';
import { idKey, KnownIds } from '../../src/ledger/known-ids.ts';
import { appendBatch } from '../../src/ledger/sql/append.ts';
import { selectLog } from '../../src/ledger/sql/log.ts';
import { delegatedCall } from '../chains/entries.ts';
import { flipHash, indexesOf, range, testLog } from '../ledger/harness.ts';
import { hop, hops } from '../ledger/observations.ts';
import { audit, publishedLog } from './log.ts';

test('14: an observation left out before it has an index shows as a gap beside what the other side reported', () => {
  const whole = delegatedCall().all;
  const [complete, ...more] = stitch(whole);
  assert.deepEqual([more.length, complete?.completeness.complete], [0, true], complete?.completeness.says);
  const crossings = whole.filter(({ entry }) => entry.kind === 'hop' && entry.side !== 'local');
  assert.ok(crossings.length > 3);
  for (const omitted of crossings) {
    const chains = stitch(whole.filter((each) => each !== omitted));
    const silent = chains.filter(({ completeness }) => completeness.complete);
    assert.notEqual(silent.length, chains.length, `nothing tells that entry ${omitted.leafIndex} was left out`);
  }
});

test('16: connections killed at any moment lose no acknowledged index, reuse none, and leave a sound log', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open({ onAlarm: () => undefined });
  const acknowledged = new Map<bigint, string>();
  const kill = () =>
    log.database.pool('owner').query(
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and query ilike any(array['%behalf.entry_bundle%', '%behalf.log%', 'commit', 'begin'])`,
    );
  for (let round = 0; round < 60; round += 1) {
    const sent = hops(20);
    const [answers] = await Promise.allSettled([ledger.append(sent), kill()]);
    if (answers.status === 'rejected') {
      assert.ok(answers.reason instanceof LedgerError && answers.reason.retryable, String(answers.reason));
      continue;
    }
    for (const [i, index] of indexesOf(answers.value).entries()) {
      assert.ok(!acknowledged.has(index), `index ${index} was given twice`);
      acknowledged.set(index, sent[i]?.id ?? '');
    }
  }
  assert.ok(acknowledged.size > 0);
  for (const [index, id] of acknowledged) {
    assert.equal(JSON.parse(Buffer.from((await log.reader.entry(index)) ?? assert.fail()).toString()).id, id);
  }
  assert.equal((await log.fsck(ledger.verifierKey)).ok, true);
});

test('17: a sequencer that resumes with an old view loses the compare-and-swap, and its batch follows the other’s', async (t) => {
  const log = await testLog(t);
  const [paused, other] = [await log.open(), await log.open()];
  assert.deepEqual(indexesOf(await paused.append(hops(3))), range(0, 3));
  const view = (await selectLog(log.database.pool('writer'), 1)) ?? assert.fail();
  assert.deepEqual(indexesOf(await other.append(hops(4))), range(3, 7));
  const known = new KnownIds();
  const id = idKey(hop().id);
  known.learn([id.bucket], []);
  const bytes = Buffer.from('{}');
  const { rows } = prepareBatch([{ bytes, leaf: digestLeaf(bytes), id }], { edge: EMPTY_EDGE, root: view.root }, known);
  assert.ok(rows !== undefined);
  const { size, root } = view;
  const moved = await appendBatch(log.database.pool('writer'), 1, { ...rows, from: { size, root } });
  assert.equal(moved, false, 'nothing moves from an old (size, root), and nothing is stored');
  assert.deepEqual(indexesOf(await paused.append(hops(2))), range(7, 9));
  await log.sound(9);
});

test('18: a bit flipped between hash and disk is told by the read-back before anything is signed', async (t) => {
  const { log, ledger, note } = await publishedLog(t, 8);
  await ledger.append(hops(8));
  await log.tamper(
    'update behalf.entry set bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 4) where log_id = 1 and leaf_index = 12',
  );
  await assert.rejects(ledger.publish(), { code: 'corrupt', message: /entry 12 .*nothing was signed/ });
  assert.equal((await log.reader.checkpoint())?.note, note);
});

test('19: every tile of the served log, forged, is told by fsck and verify with the first leaf below it', async (t) => {
  const { log, ledger } = await publishedLog(t, 1_100);
  const { rows } = await log.database.pool('reader').query<{ level: number; at: string; width: number }>(
    `select level, tile_index as at, octet_length(hashes) / 32 as width from behalf.tile where log_id = 1
       union all select 0, leaf_index / 256, count(*)::int from behalf.entry where log_id = 1 group by 2`,
  );
  assert.deepEqual(rows.length, 6);
  for (const { level, at, width } of rows) {
    for (const position of new Set([0, width >> 1, width - 1])) {
      const flip = flipHash(level, at, position);
      const index = BigInt((Number(at) * 256 + position) * 256 ** level);
      await log.tamper(flip);
      assert.equal((await log.fsck()).firstDifference?.leafIndex, index);
      await assert.rejects(audit(log, ledger.verifierKey), {
        code: level === 0 ? 'entry_mismatch' : 'tile_mismatch',
        index,
      });
      await log.tamper(flip);
    }
  }
  await audit(log, ledger.verifierKey);
});
