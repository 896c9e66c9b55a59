import { proveConsistency, rightEdge, tileHashReader, VerificationError } from '@behalf/verify';
import { DifferenceFound } from './difference.ts';
import { type Edge, EMPTY_EDGE, edgeFromTiles, rootOfEdge } from './edge.ts';
import { LedgerError } from './errors.ts';
import { sameBytes } from './hash.ts';
import { tilesOneByOne } from './read-tile.ts';
import { recomputePage, type StoredLog } from './recompute.ts';
import { requireNotSmaller } from './signer-state.ts';
import type { TreeHead } from './sql/log.ts';
import { selectTiles } from './sql/tile.ts';

/**
 * What a signature rests on. Leaf hashes are derived again from the stored bytes of every entry since the checkpoint
 * signed last, and the tree from them and the stored edge of that checkpoint; it must lead to the stored tiles and root.
 * A bit that flipped between hash and disk is never signed. Returns the consistency proof, which @behalf/verify makes from
 * the stored tiles: a second way to the same root. Throws LedgerError `rollback`, `rewritten` or `corrupt`.
 */
export async function readBack(log: StoredLog & TreeHead, signed: TreeHead | undefined): Promise<Uint8Array[]> {
  requireNotSmaller(signed ?? { size: 0n }, log.size);
  let edge = await signedEdge(log, signed);
  while (edge.size < log.size) edge = await recomputeNext(log, edge);
  if (!sameBytes(rootOfEdge(edge), log.root)) {
    throw corrupt(`the stored root of size ${log.size} is not that of its entries`);
  }
  if (signed === undefined || signed.size === 0n || signed.size === log.size) return [];
  return consistencyProof(log, signed.size);
}

async function consistencyProof(log: StoredLog & TreeHead, size1: bigint): Promise<Uint8Array[]> {
  const read = tileHashReader({ ...log, readTile: tilesOneByOne(log.db, log.logId) });
  try {
    return await proveConsistency({ size1, size2: log.size, read });
  } catch (error) {
    throw error instanceof VerificationError ? corrupt(error.message, error) : error;
  }
}

/** The edge of the tree that was signed, rebuilt from today's tiles: they only grow. */
async function signedEdge(log: StoredLog, signed: TreeHead | undefined): Promise<Edge> {
  if (signed === undefined || signed.size === 0n) return EMPTY_EDGE;
  const edge = edgeFromTiles(signed.size, await selectTiles(log.db, log.logId, rightEdge(signed.size)));
  if (sameBytes(rootOfEdge(edge), signed.root)) return edge;
  throw new LedgerError(
    'rewritten',
    `the tiles do not hash to the root signed at size ${signed.size}: they were changed after that; nothing was signed; run behalf fsck`,
  );
}

async function recomputeNext(log: StoredLog, edge: Edge): Promise<Edge> {
  try {
    return await recomputePage(log, edge);
  } catch (error) {
    throw error instanceof DifferenceFound ? corrupt(error.message, error) : error;
  }
}

const corrupt = (what: string, cause?: Error): LedgerError =>
  new LedgerError('corrupt', `${what}; nothing was signed; run behalf fsck`, cause === undefined ? {} : { cause });
