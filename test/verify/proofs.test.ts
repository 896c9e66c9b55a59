import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkConsistency,
  checkInclusion,
  checkSubtreeConsistency,
  consistencyNodes,
  EMPTY_ROOT,
  type HashReader,
  inclusionNodes,
  leafHash,
  nodeHash,
  perfectSubtrees,
  proveConsistency,
  proveInclusion,
} from '@behalf/verify';
import fc from 'fast-check';
import {
  CLASSIC_CONSISTENCY,
  CLASSIC_ENTRIES,
  CLASSIC_INCLUSION,
  CLASSIC_LEAVES,
  CLASSIC_ROOTS,
} from './classic-tree.ts';
import { leafOf, treeHash } from './reference-log.ts';

const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');

/** Hashes straight from the leaves; asks to be asked for perfect subtrees only. */
const reader =
  (leaves: readonly Buffer[]): HashReader =>
  async (subtrees) =>
    subtrees.map(({ start, end }) => {
      const length = end - start;
      assert.ok(length > 0n && (length & (length - 1n)) === 0n && start % length === 0n, `${start} to ${end}`);
      return treeHash(leaves, Number(start), Number(end));
    });

const classic = CLASSIC_ENTRIES.map((entry) => Buffer.from(entry, 'hex'));

test('the classic entries hash to the classic leaves and roots', () => {
  assert.deepEqual(
    classic.map((entry) => hex(leafHash(entry))),
    CLASSIC_LEAVES,
  );
  assert.equal(hex(EMPTY_ROOT), CLASSIC_ROOTS[0]);
  assert.equal(hex(nodeHash(leafHash(classic[0] as Buffer), leafHash(classic[1] as Buffer))), CLASSIC_ROOTS[2]);
});

test('the classic proofs are made and hold', async () => {
  const leaves = classic.map(leafOf);
  const root = (size: bigint) => Buffer.from(CLASSIC_ROOTS[Number(size)] as string, 'hex');
  const starts = (proof: readonly Uint8Array[]) => proof.map((hash) => hex(hash).slice(0, 8)).join(' ');
  for (const [pair, expected] of Object.entries(CLASSIC_INCLUSION)) {
    const [index = 0n, size = 0n] = pair.split(' ').map(BigInt);
    const proof = await proveInclusion({ index, size, read: reader(leaves) });
    assert.equal(starts(proof), expected, `leaf ${index} in ${size}`);
    checkInclusion({ index, size, leaf: leaves[Number(index)] as Buffer, proof, root: root(size) });
  }
  for (const [pair, expected] of Object.entries(CLASSIC_CONSISTENCY)) {
    const [size1 = 0n, size2 = 0n] = pair.split(' ').map(BigInt);
    const proof = await proveConsistency({ size1, size2, read: reader(leaves) });
    assert.equal(starts(proof), expected, `${size1} to ${size2}`);
    checkConsistency({ size1, size2, root1: root(size1), root2: root(size2), proof });
  }
});

test('a proof’s subtrees tile the tree without overlap, at any size', () => {
  const size = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
  const place = size.chain((n) => fc.tuple(fc.bigInt({ min: 0n, max: n - 1n }), fc.constant(n)));
  fc.assert(
    fc.property(place, ([index, n]) => {
      const nodes = [...inclusionNodes(index, n), { start: index, end: index + 1n }];
      const sorted = nodes.toSorted((a, b) => (a.start < b.start ? -1 : 1));
      assert.equal(sorted[0]?.start, 0n);
      assert.equal(sorted.at(-1)?.end, n);
      for (const [i, node] of sorted.entries()) if (i > 0) assert.equal(node.start, sorted[i - 1]?.end);
      assert.ok(nodes.length <= 65);
      assert.ok(consistencyNodes(index + 1n, n).length <= 65);
    }),
  );
});

test('perfect subtrees of a size are its binary digits, largest first', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (size) => {
      const lengths = perfectSubtrees({ start: 0n, end: size }).map(({ start, end }) => end - start);
      assert.equal(
        lengths.reduce((sum, length) => sum + length, 0n),
        size,
      );
      assert.deepEqual(
        lengths,
        [...size.toString(2)].flatMap((digit, i, all) => (digit === '1' ? [1n << BigInt(all.length - 1 - i)] : [])),
      );
    }),
  );
});

const hash = new Uint8Array(32);
const outOfRange: readonly (readonly [string, () => unknown])[] = [
  ['index at size', () => checkInclusion({ index: 3n, size: 3n, leaf: hash, root: hash, proof: [] })],
  ['negative index', () => checkInclusion({ index: -1n, size: 3n, leaf: hash, root: hash, proof: [] })],
  ['size above 2^64 - 1', () => checkInclusion({ index: 0n, size: 2n ** 64n, leaf: hash, root: hash, proof: [] })],
  ['short leaf', () => checkInclusion({ index: 0n, size: 1n, leaf: hash.slice(1), root: hash, proof: [] })],
  ['long root', () => checkInclusion({ index: 0n, size: 1n, leaf: hash, root: new Uint8Array(33), proof: [] })],
  ['short hash', () => checkInclusion({ index: 0n, size: 2n, leaf: hash, root: hash, proof: [hash.slice(1)] })],
  ['from size 0', () => checkConsistency({ size1: 0n, size2: 3n, root1: EMPTY_ROOT, root2: hash, proof: [] })],
  ['shrinking', () => checkConsistency({ size1: 4n, size2: 3n, root1: hash, root2: hash, proof: [] })],
  ['negative size', () => checkConsistency({ size1: -1n, size2: 3n, root1: hash, root2: hash, proof: [] })],
  ['no subtree', () => checkSubtreeConsistency({ start: 1n, end: 3n, size: 8n, subtree: hash, root: hash, proof: [] })],
  ['no leaf to prove', () => inclusionNodes(0n, 0n)],
  ['no older tree to prove', () => consistencyNodes(0n, 5n)],
  ['larger older tree', () => consistencyNodes(6n, 5n)],
];

for (const [name, check] of outOfRange) {
  test(`out of range: ${name}`, () => {
    assert.throws(check, { name: 'VerificationError', code: 'malformed' });
  });
}
