import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkInclusion,
  EMPTY_ROOT,
  proveConsistency,
  proveInclusion,
  rightEdge,
  type Tile,
  tileHashReader,
  tilePath,
} from '@behalf/verify';
import { flipped, numberedEntries, pathOf, type ReferenceLog, referenceLog, subproofOf } from './reference-log.ts';

const plain = (hashes: readonly Uint8Array[]): Uint8Array[] => hashes.map((hash) => new Uint8Array(hash));

/** Reads from the log's files, and notes what was read. */
function readerOf(log: ReferenceLog, files = log.files) {
  const read = new Set<string>();
  const readTile = async ({ level, index, width }: Tile): Promise<Uint8Array> => {
    const path = tilePath(level, index, width);
    read.add(path);
    return files.get(path) ?? Promise.reject(new Error(`the log has no ${path}`));
  };
  return { read, hashes: tileHashReader({ size: BigInt(log.size), root: log.root, readTile }) };
}

const SIZES = [1, 2, 3, 7, 100, 255, 256, 257, 300, 511, 512, 600];

test('proofs from tiles are the specification’s proofs', async () => {
  for (const size of SIZES) {
    const log = referenceLog(numberedEntries(size));
    for (const index of new Set([0, 1, 254, 255, 256, size - 2, size - 1].filter((i) => i >= 0 && i < size))) {
      const { hashes } = readerOf(log);
      const proof = await proveInclusion({ index: BigInt(index), size: BigInt(size), read: hashes });
      assert.deepEqual(plain(proof), plain(pathOf(log.leaves, index)), `leaf ${index} in ${size}`);
      const older = await proveConsistency({ size1: BigInt(index + 1), size2: BigInt(size), read: hashes });
      assert.deepEqual(plain(older), plain(subproofOf(log.leaves, index + 1)), `${index + 1} to ${size}`);
    }
  }
});

const big = referenceLog(numberedEntries(70_000));

test('at 70,000 entries a proof reads at most one tile a level beside the right edge', async () => {
  for (const index of [0, 65_535, 65_536, 69_887, 69_888, 69_999]) {
    const { read, hashes } = readerOf(big);
    const proof = await proveInclusion({ index: BigInt(index), size: 70_000n, read: hashes });
    const leaf = big.leaves[index] as Buffer;
    checkInclusion({ index: BigInt(index), size: 70_000n, leaf, proof, root: big.root });
    assert.ok(read.size <= 5, [...read].join(' '));
  }
});

/** For every tile a proof reads: any hash of it forged, whether the proof uses it or not, must be refused. */
async function sweep(log: ReferenceLog, index: bigint, step: number): Promise<void> {
  const size = BigInt(log.size);
  const { read, hashes } = readerOf(log);
  await proveInclusion({ index, size, read: hashes });
  for (const path of read) {
    const tile = log.files.get(path) as Uint8Array<ArrayBuffer>;
    for (let i = 0; i < tile.length / 32; i += step) {
      const forged = readerOf(log, new Map(log.files).set(path, flipped(tile, 256 * i + (i % 256))));
      const code = path.includes('.p/') ? 'root_mismatch' : 'tile_mismatch';
      await assert.rejects(proveInclusion({ index, size, read: forged.hashes }), { code }, `${path} hash ${i}`);
    }
  }
}

test('no forged tile gives a proof: every hash of every tile read, at sizes around the tiles’ edges', async () => {
  for (const size of SIZES) await sweep(referenceLog(numberedEntries(size)), BigInt(size >> 1), 1);
});

test('no forged tile gives a proof at 70,000 entries', async () => {
  for (const index of [0n, 65_536n, 69_999n]) await sweep(big, index, 11);
});

test('a forged tile whose children agree with it gives no proof', async () => {
  const forged = referenceLog(numberedEntries(70_000).with(300, Buffer.from('forged')));
  for (const level of [0, 1]) {
    const files = new Map(big.files);
    for (const [path, bytes] of forged.files)
      if (/^tile\/(\d)/.exec(path)?.[1] === String(level)) files.set(path, bytes);
    const { hashes } = readerOf(big, files);
    await assert.rejects(proveInclusion({ index: 301n, size: 70_000n, read: hashes }), { code: 'tile_mismatch' });
  }
  const { hashes } = readerOf(big, new Map(forged.files));
  await assert.rejects(proveInclusion({ index: 301n, size: 70_000n, read: hashes }), { code: 'root_mismatch' });
});

test('the right edge of 70,000 entries is the specification’s three partial tiles', () => {
  assert.deepEqual(
    rightEdge(70_000n).map(({ level, index, width }) => tilePath(level, index, width)),
    ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1'],
  );
  assert.deepEqual(rightEdge(0n), []);
  assert.deepEqual(rightEdge(256n), [{ level: 1, index: 0n, width: 1 }]);
});

test('the reader refuses a short tile, a long tile, an imperfect range and another root', async () => {
  const log = referenceLog(numberedEntries(300));
  const leaf = [{ start: 3n, end: 4n }];
  for (const cut of [-32, 0, 32]) {
    const read = tileHashReader({
      size: 300n,
      root: log.root,
      readTile: async (tile) => {
        const bytes = log.files.get(tilePath(tile.level, tile.index, tile.width)) as Uint8Array;
        const cutTo = new Uint8Array(bytes.length + cut);
        cutTo.set(bytes.subarray(0, cutTo.length));
        return cutTo;
      },
    });
    if (cut === 0) assert.deepEqual(plain(await read(leaf)), plain([log.leaves[3] as Buffer]));
    else await assert.rejects(read(leaf), { code: 'malformed' });
  }
  const { hashes } = readerOf(log);
  for (const range of [
    { start: 1n, end: 3n },
    { start: 0n, end: 3n },
    { start: 256n, end: 512n },
    { start: -1n, end: 0n },
    { start: 2n, end: 2n },
  ]) {
    await assert.rejects(hashes([range]), { code: 'malformed' });
  }
  const readTile = async ({ level, index, width }: Tile) => log.files.get(tilePath(level, index, width)) as Uint8Array;
  await assert.rejects(tileHashReader({ size: 300n, root: EMPTY_ROOT, readTile })([]), { code: 'root_mismatch' });
});

test('an empty tree has its root and no subtree', async () => {
  const none = async () => Promise.reject(new Error('no tile to read'));
  assert.deepEqual(await tileHashReader({ size: 0n, root: EMPTY_ROOT, readTile: none })([]), []);
  const wrong = tileHashReader({ size: 0n, root: new Uint8Array(32), readTile: none });
  await assert.rejects(wrong([]), { code: 'root_mismatch' });
});
