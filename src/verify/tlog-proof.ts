import { decodeBase64, decodeHash, encodeBase64 } from './base64.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { parseDecimal } from './decimal.ts';
import { checkInclusion } from './inclusion-proof.ts';
import { parseNote } from './note.ts';
import { requireHashes } from './tree-hash.ts';
import { malformed } from './verification-error.ts';

/** Evidence that fits in a file and is checked offline (C2SP tlog-proof@v1). */
export interface TlogProof {
  readonly extra?: Uint8Array; // not empty; authenticated by nothing
  readonly index: bigint; // below 2^64
  readonly proof: readonly Uint8Array[]; // 0..64 hashes, the leaf's sibling first
  readonly checkpoint: string; // the signed note, with whatever cosignatures it carries
}

const HEADER = 'c2sp.org/tlog-proof@v1';
const MAX_HASHES = 64;

/** The `.tlog-proof` file. Throws VerificationError `malformed`. */
export function formatTlogProof({ extra, index, proof, checkpoint }: TlogProof): string {
  if (index < 0n || index >= 2n ** 64n) malformed(`tlog-proof: expected an index of 0 to 2^64 - 1, got ${index}`);
  if (extra?.length === 0) malformed('tlog-proof: expected an extra of at least one byte, or none');
  if (proof.length > MAX_HASHES) malformed(`tlog-proof: expected at most ${MAX_HASHES} hashes, got ${proof.length}`);
  requireHashes({}, proof);
  parseCheckpoint(parseNote(checkpoint).text);
  const lines = [HEADER, ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]), `index ${index}`];
  return `${[...lines, ...proof.map(encodeBase64)].join('\n')}\n\n${checkpoint}`;
}

/** Reads a `.tlog-proof` file without judging it; throws VerificationError `malformed` on anything formatTlogProof would not write. */
export function parseTlogProof(file: string): TlogProof {
  const split = file.indexOf('\n\n');
  if (split < 0) malformed('tlog-proof: expected an empty line before the checkpoint');
  const [header, ...lines] = file.slice(0, split).split('\n');
  if (header !== HEADER) malformed(`tlog-proof: expected the first line "${HEADER}"`);
  const extra = lines[0]?.startsWith('extra ') ? decodeBase64(lines.shift()?.slice(6) ?? '') : undefined;
  const index = lines.shift();
  if (!index?.startsWith('index ')) malformed('tlog-proof: expected a line "index <decimal>"');
  if (lines.length > MAX_HASHES) malformed(`tlog-proof: expected at most ${MAX_HASHES} hashes, got ${lines.length}`);
  const parsed = {
    ...(extra === undefined ? {} : { extra }),
    index: parseDecimal(index.slice(6), 'tlog-proof index'),
    proof: lines.map((line, i) => decodeHash(line, `tlog-proof hash ${i}`)),
    checkpoint: file.slice(split + 2),
  };
  if (formatTlogProof(parsed) !== file) malformed('tlog-proof: expected the form its log writes');
  return parsed;
}

/** What a checked proof establishes: the leaf stands at `index` in the log as `checkpoint` signs it. */
export interface ProvenLeaf {
  readonly index: bigint;
  readonly checkpoint: Checkpoint;
}

/**
 * Checks a `.tlog-proof` file for a leaf hash under the log's key: signature, origin, inclusion. Its `extra` is not
 * looked at. Throws VerificationError as openCheckpoint and checkInclusion do.
 */
export async function checkTlogProof(given: {
  readonly proof: string;
  readonly leaf: Uint8Array; // leafHash of the entry's bytes
  readonly verifierKey: string;
}): Promise<ProvenLeaf> {
  const { index, proof, checkpoint: note } = parseTlogProof(given.proof);
  const checkpoint = await openCheckpoint(note, given.verifierKey);
  checkInclusion({ index, size: checkpoint.size, leaf: given.leaf, proof, root: checkpoint.root });
  return { index, checkpoint };
}
