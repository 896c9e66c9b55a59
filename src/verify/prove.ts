import { foldPeaks, perfectSubtrees, type Subtree } from './subtree.ts';
import { MAX_TREE_SIZE } from './tree-hash.ts';
import { malformed } from './verification-error.ts';

/** Supplies the hashes of perfect subtrees, in the order asked. A proof is no better than what this returns. */
export type HashReader = (subtrees: readonly Subtree[]) => Promise<readonly Uint8Array[]>;

/** The subtrees whose hashes are the inclusion proof, the leaf's sibling first (RFC 6962 section 2.1.1). Pure. */
export function inclusionNodes(index: bigint, size: bigint): Subtree[] {
  if (index < 0n || index >= size || size > MAX_TREE_SIZE) {
    malformed(`inclusion: expected 0 <= index < size <= 2^64 - 1, got index ${index}, size ${size}`);
  }
  const siblings: Subtree[] = [];
  for (let [start, end] = [0n, size]; end - start > 1n; ) {
    const middle = start + halfOf(end - start);
    siblings.push(index < middle ? { start: middle, end } : { start, end: middle });
    [start, end] = index < middle ? [start, middle] : [middle, end];
  }
  return siblings.toReversed();
}

/** The subtrees whose hashes are the consistency proof from size1 to size2 (RFC 6962 section 2.1.2). Pure. */
export function consistencyNodes(size1: bigint, size2: bigint): Subtree[] {
  if (size1 <= 0n || size1 > size2 || size2 > MAX_TREE_SIZE) {
    malformed(`consistency: expected 0 < size1 <= size2 <= 2^64 - 1, got ${size1} and ${size2}`);
  }
  const nodes: Subtree[] = [];
  let [start, end] = [0n, size2];
  while (end !== size1) {
    const middle = start + halfOf(end - start);
    nodes.push(size1 <= middle ? { start: middle, end } : { start, end: middle });
    [start, end] = size1 <= middle ? [start, middle] : [middle, end];
  }
  // The verifier has the older root; what is left of it is sent only where it is not that root.
  if (start > 0n) nodes.push({ start, end });
  return nodes.toReversed();
}

/** The inclusion proof of a leaf. Throws VerificationError `malformed` out of range, and what the reader throws. */
export function proveInclusion(of: { index: bigint; size: bigint; read: HashReader }): Promise<Uint8Array[]> {
  return hashesOf(inclusionNodes(of.index, of.size), of.read);
}

/** The consistency proof between two sizes. Throws VerificationError `malformed` out of range, and what the reader throws. */
export function proveConsistency(of: { size1: bigint; size2: bigint; read: HashReader }): Promise<Uint8Array[]> {
  return hashesOf(consistencyNodes(of.size1, of.size2), of.read);
}

/** Reads all that is needed at once, then folds each node from its perfect subtrees. */
async function hashesOf(nodes: readonly Subtree[], read: HashReader): Promise<Uint8Array[]> {
  const parts = nodes.map(perfectSubtrees);
  const hashes = await read(parts.flat());
  let at = 0;
  return parts.map((each) => {
    at += each.length;
    return foldPeaks(hashes.slice(at - each.length, at));
  });
}

/** The largest power of two below n, for n >= 2. */
function halfOf(n: bigint): bigint {
  return 1n << BigInt((n - 1n).toString(2).length - 1);
}
