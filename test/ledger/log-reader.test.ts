import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkTlogProof,
  formatEntryBundle,
  leafHash,
  parseTilePath,
  rightEdge,
  tileWidth,
  verifyLog,
} from '@behalf/verify';
import type { LogReader } from '#ledger/read';
import { ByteCache } from '../../src/ledger/byte-cache.ts';
import { testLog } from './harness.ts';
import { hops } from './observations.ts';

/** The reader as a web server would answer for it. */
const fetchFrom =
  (reader: LogReader, log: string[] = []) =>
  async (url: string): Promise<Response> => {
    const path = new URL(url).pathname.slice(1);
    log.push(path);
    if (path === 'checkpoint') return answer(Buffer.from((await reader.checkpoint())?.note ?? ''));
    const tile = parseTilePath(path);
    return answer(
      tile.kind === 'tile'
        ? await reader.tile(tile.level, tile.index, tile.width)
        : await reader.entryBundle(tile.index, tile.width),
    );
  };

const answer = (bytes: Uint8Array | undefined): Response =>
  bytes === undefined ? new Response(null, { status: 404 }) : new Response(new Uint8Array(bytes));

test('what is served is verified as a whole log by @behalf/verify at every published size', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  for (const count of [1, 254, 1, 1, 300]) {
    await ledger.append(hops(count));
    await ledger.publish();
    const report = await verifyLog({
      url: 'http://log.test/',
      verifierKey: ledger.verifierKey,
      fetch: fetchFrom(log.reader),
    });
    assert.equal(report.entries, (await log.reader.log()).size);
  }
});

test('every entry has a proof under the last checkpoint, and its leaf alone fits it', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(300));
  await ledger.publish();
  const { verifierKey } = ledger;
  const entries = await log.reader.entries(0n, 300);
  for (const index of [0n, 1n, 127n, 255n, 256n, 298n, 299n]) {
    const proof = (await log.reader.prove(index)) ?? assert.fail(`no proof of ${index}`);
    const leaves = [index, index === 0n ? 1n : index - 1n].map((at) =>
      leafHash(entries[Number(at)]?.bytes ?? assert.fail()),
    );
    const [own = assert.fail(), neighbour = assert.fail()] = leaves;
    assert.equal((await checkTlogProof({ proof, leaf: own, verifierKey })).checkpoint.size, 300n);
    await assert.rejects(checkTlogProof({ proof, leaf: neighbour, verifierKey }), { code: 'inclusion' });
  }
});

test('nothing is served or proven that no published checkpoint covers', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(10));
  await ledger.publish();
  await ledger.append(hops(300));
  const { reader } = log;
  assert.equal((await reader.log()).size, 310n);
  assert.equal((await reader.checkpoint())?.size, 10n);
  for (const width of Array.from({ length: 256 }, (_, i) => i + 1)) {
    assert.equal((await reader.tile(0, 0n, width)) !== undefined, width === 10, `tile of width ${width}`);
    assert.equal((await reader.entryBundle(0n, width)) !== undefined, width === 10, `bundle of width ${width}`);
  }
  assert.equal(await reader.tile(1, 0n, 1), undefined);
  assert.equal(await reader.prove(10n), undefined);
  assert.ok((await reader.entry(10n)) !== undefined, 'a sequenced entry can be read before it is published');
  await ledger.publish();
  assert.ok((await reader.prove(10n)) !== undefined);
  assert.equal((await reader.tile(0, 0n))?.length, 8192);
  assert.equal((await reader.tile(0, 0n, 10))?.length, 320, 'partial tiles of published sizes stay');
});

test('a partial tile is a prefix of the full one, and a bundle holds the exact entries', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(200));
  await ledger.publish();
  const before = [await log.reader.tile(0, 0n, 200), await log.reader.entryBundle(0n, 200)];
  await ledger.append(hops(320));
  await ledger.publish();
  assert.deepEqual([await log.reader.tile(0, 0n, 200), await log.reader.entryBundle(0n, 200)], before);
  const entries = (await log.reader.entries(0n, 1000)).map(({ bytes }) => bytes);
  for (const index of [0n, 1n, 2n]) {
    const width = tileWidth(0, index, 520n);
    const first = Number(index) * 256;
    const own = entries.slice(first, first + width);
    assert.deepEqual(
      Buffer.from((await log.reader.entryBundle(index, width)) ?? []),
      Buffer.from(formatEntryBundle(own)),
    );
    assert.deepEqual(
      Buffer.from((await log.reader.tile(0, index, width)) ?? []),
      Buffer.concat(own.map((bytes) => leafHash(bytes))),
    );
  }
  for (const { level, index, width } of rightEdge(520n)) {
    assert.equal((await log.reader.tile(level, index, width))?.length, 32 * width);
  }
});

test('what is out of range is not there, and a bad count is the caller’s mistake', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(3));
  await ledger.publish();
  const { reader } = log;
  const huge = 2n ** 62n;
  assert.deepEqual(
    await Promise.all([
      ...[3n, -1n, huge, 2n ** 80n].map((index) => reader.entry(index)),
      ...[3n, -1n, huge, 2n ** 80n].map((index) => reader.prove(index)),
      ...[1n, -1n, huge, 2n ** 80n].map((index) => reader.tile(0, index, 3)),
      ...[1n, -1n, huge, 2n ** 80n].map((index) => reader.entryBundle(index)),
      ...[-1, 8, 63, 1.5].map((level) => reader.tile(level, 0n, 3)),
      ...[0, 257, -3, 2.5].map((width) => reader.tile(0, 0n, width)),
    ]),
    Array.from({ length: 24 }, () => undefined),
  );
  assert.deepEqual(await reader.entries(3n, 10), []);
  for (const count of [0, 10_001, 1.5]) await assert.rejects(reader.entries(0n, count), RangeError);
  await assert.rejects(reader.entries(-1n, 1), RangeError);
});

test('a stored row that is gone is corruption, not absence', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(5));
  await ledger.publish();
  await log.tamper('delete from behalf.entry where log_id = 1 and leaf_index = 2');
  await assert.rejects(log.reader.entries(0n, 5), { code: 'corrupt', message: /entry 2 is missing/ });
  await assert.rejects(log.reader.entryBundle(0n, 5), { code: 'corrupt' });
  await log.tamper('delete from behalf.entry where log_id = 1');
  await assert.rejects(log.reader.tile(0, 0n, 5), { code: 'corrupt' });
  await assert.rejects(log.reader.prove(0n), { code: 'corrupt' });
});

test('a proof is never made from a tile that was tampered with', async (t) => {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(hops(300));
  await ledger.publish();
  await log.tamper(
    `update behalf.entry set leaf = overlay(leaf placing '\\x0000'::bytea from 1) where log_id = 1 and leaf_index = 9`,
  );
  await assert.rejects(log.reader.prove(200n), { code: 'corrupt', message: /tile\/0\/000/ });
});

test('full tiles and bundles are read once and then served from a cache that stays within its bound', async () => {
  const cache = new ByteCache(100);
  let reads = 0;
  const read = (length: number) => async () => {
    reads += 1;
    return new Uint8Array(length);
  };
  for (const key of ['a', 'b', 'a', 'b', 'a']) await cache.get(key, read(40));
  assert.equal(reads, 2);
  await cache.get('c', read(40)); // b was used least recently
  await cache.get('a', read(40));
  assert.equal(reads, 3);
  await cache.get('b', read(40));
  assert.equal(reads, 4);
  await cache.get('larger than the cache', read(101));
  await cache.get('a', read(40));
  assert.equal(reads, 5);
  assert.equal(await cache.get('nothing', async () => undefined), undefined);
});
