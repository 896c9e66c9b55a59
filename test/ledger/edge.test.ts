import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rightEdge, tileWidth } from '@behalf/verify';
import { appendLeaves, EMPTY_EDGE, edgeFromTiles, Growth, rootOfEdge } from '../../src/ledger/edge.ts';
import { digestOf, hashLeaf, hashNode } from '../../src/ledger/hash.ts';

const leafOf = (i: number): Uint8Array => hashLeaf(Buffer.from(`leaf ${i}`));
const leaves = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => leafOf(from + i));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** RFC 6962 section 2.1, word for word. */
function treeHash(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) throw new TypeError('no leaves');
  if (hashes.length === 1) return only;
  let k = 1;
  while (2 * k < hashes.length) k *= 2;
  return hashNode(treeHash(hashes.slice(0, k)), treeHash(hashes.slice(k)));
}

/** Roots of "leaf 0", "leaf 1", … as golang.org/x/mod computes them. */
const ROOTS = [
  [1, '1bb97dcc21635d47e2663efdfd0a174686d98dd701352dd2cd06e8b43fd3d305'],
  [100, '13f88915c560dc911a1da0fb209d84a20971051f294ebeb428fb3fc293af2743'],
  [255, 'd71592a219d4067663eede247f9b54c3f9e0290682d55de09b495b07f1de41c9'],
  [256, 'cf5effdb11d0927a2edf53b0e73c7837f659414e00537da5d90eb5c4c49ff274'],
  [257, '855b936aa00cb98b5114484249ad39d78a6be93623e26c01e8e487dc02184a5a'],
  [65_536, 'e100ba54d69a91012fc13b7890feac78d6996a097268b6f735d17311c7402a60'],
  [70_000, 'da0532ff7b2ee56f4067110fc964e9f27b5959f9527bfff3fa501aa7584deaf3'],
] as const;

test('the root of every size is that of RFC 6962, and of the published vectors', () => {
  const growth = new Growth(EMPTY_EDGE);
  const vectors = new Map<number, string>(ROOTS);
  const hashes: Uint8Array[] = [];
  for (let size = 1; size <= 70_000; size += 1) {
    const leaf = leafOf(size - 1);
    growth.add(digestOf(leaf));
    if (size <= 600) {
      hashes.push(leaf);
      assert.equal(hex(growth.root()), hex(treeHash(hashes)), `size ${size}`);
    }
    const vector = vectors.get(size);
    if (vector !== undefined) assert.equal(hex(growth.root()), vector, `size ${size}`);
  }
});

test('a tree grown in any two steps is the one grown at once, and its edge is rebuilt from its tiles', () => {
  for (const total of [1, 2, 255, 256, 257, 511, 512, 513, 600]) {
    const whole = appendLeaves(EMPTY_EDGE, leaves(0, total));
    for (let first = 0; first <= total; first += total > 100 ? 37 : 1) {
      const before = appendLeaves(EMPTY_EDGE, leaves(0, first));
      const after = appendLeaves(before.edge, leaves(first, total));
      const tiles = new Map(
        [...before.tiles, ...after.tiles].map((tile) => [`${tile.level}/${tile.index}`, tile] as const),
      );
      assert.equal(hex(after.root), hex(whole.root));
      assert.equal(hex(rootOfEdge(before.edge)), hex(before.root), 'the edge before is not touched');
      for (const tile of whole.tiles)
        assert.equal(hex(tiles.get(`${tile.level}/${tile.index}`)?.hashes ?? leafOf(0)), hex(tile.hashes));
      const rebuilt = edgeFromTiles(BigInt(first), [...tiles.values()]);
      assert.equal(hex(rootOfEdge(rebuilt)), hex(before.root), `edge of ${first} from tiles of ${total}`);
      assert.equal(hex(appendLeaves(rebuilt, leaves(first, total)).root), hex(whole.root));
    }
  }
});

test('tiles are as wide as C2SP says for the size, and no others are touched', () => {
  for (const size of [1, 255, 256, 257, 600, 65_535, 65_536, 65_537]) {
    const { tiles } = appendLeaves(EMPTY_EDGE, leaves(0, size));
    for (const { level, index, hashes } of tiles) {
      assert.equal(hashes.length / 32, tileWidth(level, index, BigInt(size)), `${level}/${index} of ${size}`);
    }
    const keys = new Set(tiles.map(({ level, index }) => `${level}/${index}`));
    assert.equal(keys.size, tiles.length);
    for (const { level, index } of rightEdge(BigInt(size))) assert.ok(keys.has(`${level}/${index}`));
  }
});

test('an edge cannot be rebuilt from tiles that are missing or too short', () => {
  const { tiles } = appendLeaves(EMPTY_EDGE, leaves(0, 300));
  const without = (level: number) => tiles.filter((tile) => tile.level !== level);
  const cut = tiles.map((tile) => ({ ...tile, hashes: tile.hashes.subarray(0, 32) }));
  assert.throws(() => edgeFromTiles(300n, without(1)), { code: 'corrupt', message: /tile 1\/0: expected 1 hashes/ });
  assert.throws(() => edgeFromTiles(300n, cut), { code: 'corrupt', message: /tile 0\/1: expected 44 hashes/ });
});
