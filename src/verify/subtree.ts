import { MAX_TREE_SIZE } from './tree-hash.ts';
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

/** The smallest power of two that is at least n, for n >= 1. */
function powerOfTwoAtLeast(n: bigint): bigint {
  return n === 1n ? 1n : 1n << BigInt((n - 1n).toString(2).length);
}
