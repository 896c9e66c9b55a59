import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tilePath, verifyLog } from '@behalf/verify';
import { consistentBelow, everyConsistency, everyInclusion, forgeTile, MemoTree, tilesOf } from './every-tree.ts';
import { flipped, LOG_URL, leafOf, numberedEntries, type ReferenceLog, referenceLog, serve } from './reference-log.ts';

/** All of it at the large sizes too takes minutes: npm run test:trees. The plain run takes every leaf, and changes in a part of them. */
const whole = process.env.BEHALF_EVERY_TREE === 'yes';
const LARGE = [65_535, 65_536, 65_537, 70_000];
const all = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const isAtEdge = (n: number): boolean => n % 256 === 0 || n % 256 === 255 || (n & (n - 1)) === 0;

const small = new MemoTree(numberedEntries(300).map(leafOf));
const large = new MemoTree(numberedEntries(70_000).map(leafOf));

test('in every tree up to 300 leaves every inclusion proof holds, and none with anything changed', async (t) => {
  let refused = 0;
  for (const size of all(1, 301)) for (const index of all(0, size)) refused += await everyInclusion(small, index, size);
  t.diagnostic(`${refused} refused`);
  assert.ok(refused > 500_000);
});

test('between every two trees up to 300 leaves the consistency proof holds, and none with anything changed', async (t) => {
  let refused = 0;
  for (const size2 of all(1, 301)) {
    for (const size1 of all(1, size2 + 1)) refused += await everyConsistency(small, size1, size2);
  }
  t.diagnostic(`${refused} refused`);
  assert.ok(refused > 450_000);
});

test('in every tree up to 300 leaves no hash of any tile can be forged, alone or with all below it', async (t) => {
  let refused = 0;
  for (const size of all(1, 301)) {
    const log = referenceLog(numberedEntries(size));
    for (const tile of tilesOf(log)) {
      refused += await forgeTile(log, tile, all(0, tile.width));
    }
  }
  t.diagnostic(`${refused} refused`);
  assert.ok(refused > 90_000);
});

/** Whoever reads the whole log is told of a tile with one hash changed, and of one whose children and entries agree with it. */
async function readersTell(log: ReferenceLog, tiles: ReturnType<typeof tilesOf>): Promise<void> {
  const told = async (forged: Iterable<readonly [string, Uint8Array<ArrayBuffer>]>, expected: object) => {
    const fetch = serve(new Map([...log.files, ...forged]));
    await assert.rejects(verifyLog({ url: LOG_URL, verifierKey: log.verifierKey, fetch }), expected);
  };
  for (const { level, index, width } of tiles) {
    const position = width >> 1;
    const leaf = (Number(index) * 256 + position) * 256 ** level;
    const path = tilePath(level, index, width);
    const changed = flipped(log.files.get(path) ?? assert.fail(path), 256 * position);
    await told([[path, changed]], { code: level === 0 ? 'entry_mismatch' : 'tile_mismatch', index: BigInt(leaf) });
    const above = 256 ** (level + 1);
    const first = leaf - (leaf % above);
    const isUnderTile = first + above <= log.size;
    await told(
      consistentBelow(log, leaf, level),
      isUnderTile ? { code: 'tile_mismatch', index: BigInt(first) } : { code: 'root_mismatch' },
    );
  }
}

test('in every tree up to 300 leaves whoever reads the log is told of every forged tile', async () => {
  for (const size of all(1, 301)) {
    const log = referenceLog(numberedEntries(size));
    await readersTell(log, tilesOf(log));
  }
});

for (const size of LARGE) {
  test(`in the tree of ${size} leaves every inclusion proof holds, and none with anything changed`, async (t) => {
    let refused = 0;
    for (const index of all(0, size)) {
      refused += await everyInclusion(large, index, size, whole || index % 97 === 0 || index >= size - 300);
    }
    t.diagnostic(`${refused} refused`);
    assert.ok(refused > 10_000);
  });

  test(`to the tree of ${size} leaves the consistency proofs hold, and none with anything changed`, async (t) => {
    let refused = 0;
    for (const from of all(1, size + 1)) {
      if (!whole && from % 31 !== 0 && !isAtEdge(from) && from < size - 300) continue;
      refused += await everyConsistency(large, from, size, whole || from % 93 === 0 || isAtEdge(from));
    }
    t.diagnostic(`${refused} refused`);
    assert.ok(refused > 5_000);
  });

  test(`in the tree of ${size} leaves no tile can be forged, alone or with all below it`, async (t) => {
    const log = referenceLog(numberedEntries(size));
    let refused = 0;
    for (const tile of tilesOf(log)) {
      const some = [...new Set([0, tile.width >> 1, tile.width - 1])];
      refused += await forgeTile(log, tile, whole ? all(0, tile.width) : some);
    }
    t.diagnostic(`${refused} refused`);
    assert.ok(refused >= 2 * 256);
    const seen = tilesOf(log).filter(({ level, index, width }) => whole || level > 0 || index === 0n || width < 256);
    await readersTell(log, seen);
  });
}
