import { MAX_TREE_SIZE, nodeHash } from './tree-hash.ts';
import { malformed } from './verification-error.ts';

/** Leaves start..end of a tree, end excluded. */
export interface Subtree {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Throws `malformed` unless the range is a subtree of the tree: not empty, and its start a multiple of the smallest power
 * of two that is at least its length (Merkle Tree Certificates draft, section 4.1).
 */
export function requireSubtree({ start, end }: Subtree, size: bigint): void {
  const inTree = 0n <= start && start < end && end <= size && size <= MAX_TREE_SIZE;
  if (!inTree || start % powerOfTwoAtLeast(end - start) !== 0n) {
    malformed(`expected a subtree of the tree of size ${size}, got leaves ${start} to ${end}`);
  }
}

/**
 * The perfect subtrees a range is made of, left to right: each a power of two long and aligned to its length. For a tree
 * these are its peaks, largest first. The range must be a subtree (see requireSubtree).
 */
export function perfectSubtrees({ start, end }: Subtree): Subtree[] {
  const parts: Subtree[] = [];
  for (let at = start; at < end; ) {
    const length = 1n << BigInt((end - at).toString(2).length - 1);
    parts.push({ start: at, end: at + length });
    at += length;
  }
  return parts;
}

/** The hash over adjacent perfect subtrees, given left to right, largest first. */
export function foldPeaks(peaks: readonly Uint8Array[]): Uint8Array {
  const last = peaks.at(-1);
  if (last === undefined) throw new TypeError('foldPeaks: expected at least one hash');
  return peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/** The smallest power of two that is at least n, for n >= 1. */
function powerOfTwoAtLeast(n: bigint): bigint {
  return n === 1n ? 1n : 1n << BigInt((n - 1n).toString(2).length);
}
