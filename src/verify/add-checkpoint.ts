import { decodeHash, encodeBase64 } from './base64.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { parseDecimal } from './decimal.ts';
import { parseNote } from './note.ts';
import { requireHashes } from './tree-hash.ts';
import { malformed } from './verification-error.ts';

/** What a log asks a witness to cosign (C2SP tlog-witness v1.0.0, add-checkpoint). */
export interface AddCheckpoint {
  readonly oldSize: bigint; // of the checkpoint the witness cosigned last; 0 when there is none
  readonly proof: readonly Uint8Array[]; // consistency from oldSize, 0 to 63 hashes
  readonly checkpoint: string; // the signed note
}

const MAX_HASHES = 63;

/** The request's body. Throws VerificationError `malformed`. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  if (oldSize < 0n || oldSize >= 2n ** 64n)
    malformed(`add-checkpoint: expected an old size below 2^64, got ${oldSize}`);
  if (proof.length > MAX_HASHES)
    malformed(`add-checkpoint: expected at most ${MAX_HASHES} hashes, got ${proof.length}`);
  requireHashes({}, proof);
  parseCheckpoint(parseNote(checkpoint).text);
  return `old ${oldSize}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${checkpoint}`;
}

/** Reads the request's body without judging it; throws VerificationError `malformed` on anything formatAddCheckpoint would not write. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const split = body.indexOf('\n\n');
  if (split < 0) malformed('add-checkpoint: expected an empty line before the checkpoint');
  const [old = '', ...hashes] = body.slice(0, split).split('\n');
  if (!old.startsWith('old ')) malformed('add-checkpoint: expected a line "old <decimal>"');
  if (hashes.length > MAX_HASHES)
    malformed(`add-checkpoint: expected at most ${MAX_HASHES} hashes, got ${hashes.length}`);
  const parsed = {
    oldSize: parseDecimal(old.slice(4), 'add-checkpoint old size'),
    proof: hashes.map((line, i) => decodeHash(line, `add-checkpoint hash ${i}`)),
    checkpoint: body.slice(split + 2),
  };
  if (formatAddCheckpoint(parsed) !== body) malformed('add-checkpoint: expected the form a log sends');
  return parsed;
}
