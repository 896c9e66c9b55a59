import { requireSubtree } from './subtree.ts';
import { nodeHash, requireHashes, sameHash } from './tree-hash.ts';
import { malformed, VerificationError } from './verification-error.ts';

export interface ConsistencyProof {
  readonly size1: bigint; // 0 < size1 <= size2
  readonly size2: bigint;
  readonly root1: Uint8Array;
  readonly root2: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

export interface SubtreeConsistencyProof {
  readonly start: bigint;
  readonly end: bigint; // start < end <= size
  readonly size: bigint;
  readonly subtree: Uint8Array; // the hash of leaves start..end
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Checks that the tree of size2 begins with the tree of size1 (RFC 9162 section 2.1.4.2). Size 0 proves nothing about
 * what follows and is refused; equal sizes take an empty proof and equal roots. Throws VerificationError: `malformed`
 * for a value out of range, `consistency` when the proof does not hold.
 */
export function checkConsistency({ size1, size2, root1, root2, proof }: ConsistencyProof): void {
  if (size1 <= 0n) malformed(`consistency: expected an older tree of at least one leaf, got size ${size1}`);
  checkSubtreeConsistency({ start: 0n, end: size1, size: size2, subtree: root1, root: root2, proof });
}

/**
 * Checks that leaves start..end hash to `subtree` inside the tree of `size`; the range must be a subtree, that is, start
 * a multiple of the smallest power of two that is at least its length (Merkle Tree Certificates draft, section 4.4.3;
 * with start 0 it is RFC 9162's procedure). Throws as checkConsistency does.
 */
export function checkSubtreeConsistency({ start, end, size, subtree, root, proof }: SubtreeConsistencyProof): void {
  requireSubtree({ start, end }, size);
  requireHashes({ subtree, root }, proof);
  const folded = fold(start, end, size, subtree, proof);
  if (folded.kind === 'misfit') throw refusal(start, end, size, folded.why);
  if (!sameHash(folded.older, subtree)) throw refusal(start, end, size, 'it leads to another older root');
  if (!sameHash(folded.newer, root)) throw refusal(start, end, size, 'it leads to another newer root');
}

type Folded =
  | { readonly kind: 'roots'; readonly older: Uint8Array; readonly newer: Uint8Array }
  | { readonly kind: 'misfit'; readonly why: string };

/** Both roots as the proof gives them. fn, sn and tn are the draft's: first and last of the subtree, last of the tree. */
function fold(start: bigint, end: bigint, size: bigint, subtree: Uint8Array, proof: readonly Uint8Array[]): Folded {
  let [fn, sn, tn] = [start, end - 1n, size - 1n];
  const ascend = (): void => {
    fn >>= 1n;
    sn >>= 1n;
    tn >>= 1n;
  };
  while (fn !== sn && (sn === tn || (sn & 1n) === 1n)) ascend();
  // Where the subtree is no node of the tree, the proof begins with the largest node both share.
  const path = fn === sn ? [subtree, ...proof] : proof;
  let [older, newer] = [path[0], path[0]];
  if (older === undefined || newer === undefined) return { kind: 'misfit', why: 'the proof is empty' };
  for (const hash of path.slice(1)) {
    if (tn === 0n) return { kind: 'misfit', why: 'the proof is longer than the path' };
    if ((sn & 1n) === 1n || sn === tn) {
      if (fn < sn) older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while ((sn & 1n) === 0n && sn !== 0n) ascend();
    } else {
      newer = nodeHash(newer, hash);
    }
    ascend();
  }
  return tn === 0n ? { kind: 'roots', older, newer } : { kind: 'misfit', why: 'the proof is shorter than the path' };
}

function refusal(start: bigint, end: bigint, size: bigint, why: string): VerificationError {
  return new VerificationError(
    'consistency',
    `the tree of size ${size} is not proven to hold leaves ${start} to ${end}: ${why}`,
  );
}
