import { generateKeyPairSync, sign } from 'node:crypto';
import { formatCheckpoint, formatNote, formatVerifierKey, leafHash, nodeHash, verifierKeyId } from '@behalf/verify';

/** A log over these entries with a signed checkpoint, kept in memory and recomputed from RFC 6962 section 2.1 as written. */
export interface LedgerOf {
  readonly origin: string;
  readonly verifierKey: string;
  readonly checkpoint: string;
  /** A C2SP tlog-proof. */
  prove(index: number): string;
}

export function ledgerOf(entries: readonly Uint8Array[], origin: string): LedgerOf {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const leaves = entries.map(leafHash);
  const text = formatCheckpoint({ origin, size: BigInt(leaves.length), root: rootOf(leaves) });
  const signature = sign(null, Buffer.from(text), privateKey);
  const checkpoint = formatNote({ text, signatures: [{ name: origin, keyId: verifierKeyId(origin, raw), signature }] });
  const prove = (index: number): string => {
    const path = pathOf(index, leaves).map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
    return `c2sp.org/tlog-proof@v1\nindex ${index}\n${path.join('')}\n${checkpoint}`;
  };
  return { origin, verifierKey: formatVerifierKey(origin, raw), checkpoint, prove };
}

const splitOf = (size: number): number => 2 ** Math.floor(Math.log2(size - 1));

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only !== undefined && leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

function pathOf(index: number, leaves: readonly Uint8Array[]): readonly Uint8Array[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...pathOf(index, left), rootOf(right)] : [...pathOf(index - split, right), rootOf(left)];
}
