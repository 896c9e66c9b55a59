import { requireSubtree } from './subtree.ts';
import { MAX_TREE_SIZE, nodeHash, requireHashes, sameHash } from './tree-hash.ts';
import { malformed, VerificationError } from './verification-error.ts';

export interface InclusionProof {
  readonly index: bigint; // 0 <= index < size
  readonly size: bigint;
  readonly leaf: Uint8Array; // the leaf hash
  readonly proof: readonly Uint8Array[]; // the leaf's sibling first
  readonly root: Uint8Array;
}

export interface SubtreeInclusionProof {
  readonly index: bigint; // start <= index < end
  readonly start: bigint;
  readonly end: bigint;
  readonly leaf: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly subtree: Uint8Array; // the hash of leaves start..end
}

/**
 * Checks that the leaf stands at `index` in the tree of `size` leaves with this root (RFC 9162 section 2.1.3.2). Throws
 * VerificationError: `malformed` for a value out of range, `inclusion` when the proof does not hold.
 */
export function checkInclusion({ index, size, leaf, proof, root }: InclusionProof): void {
  if (index < 0n || index >= size || size > MAX_TREE_SIZE) {
    malformed(`inclusion: expected 0 <= index < size <= 2^64 - 1, got index ${index}, size ${size}`);
  }
  requireHashes({ leaf, root }, proof);
  let [fn, sn, hash] = [index, size - 1n, leaf];
  for (const sibling of proof) {
    if (sn === 0n) refuse(index, size, 'the proof is longer than the path');
    if ((fn & 1n) === 1n || fn === sn) {
      hash = nodeHash(sibling, hash);
      for (; (fn & 1n) === 0n && fn !== 0n; fn >>= 1n) sn >>= 1n;
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) refuse(index, size, 'the proof is shorter than the path');
  if (!sameHash(hash, root)) refuse(index, size, 'it leads to another root');
}

/**
 * Checks that the leaf stands at `index` under the hash of leaves start..end, which must be a subtree (Merkle Tree
 * Certificates draft, section 4.3). Throws as checkInclusion does; the indexes in its errors count from `start`.
 */
export function checkSubtreeInclusion({ index, start, end, leaf, proof, subtree }: SubtreeInclusionProof): void {
  requireSubtree({ start, end }, end);
  checkInclusion({ index: index - start, size: end - start, leaf, proof, root: subtree });
}

function refuse(index: bigint, size: bigint, why: string): never {
  throw new VerificationError('inclusion', `leaf ${index} is not proven in the tree of size ${size}: ${why}`, {
    index,
  });
}
