import { decodeBase64, decodeHash, encodeBase64 } from './base64.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { parseDecimal } from './decimal.ts';
import type { Disclosure } from './disclosure.ts';
import { parseNote } from './note.ts';
import { parsePolicy } from './policy-file.ts';
import { parseTimestampToken } from './timestamp-token.ts';
import { requireHashes } from './tree-hash.ts';
import { malformed, VerificationError } from './verification-error.ts';

/** One file for a stranger: entries, their proofs, the checkpoint they are proven under, and what of them is disclosed. */
export interface Evidence {
  readonly checkpoint: string; // the signed note, with whatever cosignatures it carries
  readonly entries: readonly EvidenceEntry[]; // 1 to 10,000, by rising index
  readonly disclosures: readonly Disclosure[];
  /** A tlog-policy file, as whoever made the bundle would have it. Only a policy from elsewhere proves anything. */
  readonly policy: string;
  /** An RFC 3161 token in DER over the checkpoint note's bytes, where somebody asked an authority for one. */
  readonly timestamp?: Uint8Array;
}

export interface EvidenceEntry {
  readonly index: bigint;
  readonly entry: string; // its bytes are this text in UTF-8
  readonly proof: readonly Uint8Array[]; // inclusion under the checkpoint, 0 to 64 hashes, the leaf's sibling first
}

/** The longest bundle read, in characters. */
export const MAX_EVIDENCE_CHARACTERS = 64 * 2 ** 20;
const MAX_ENTRIES = 10_000;
const MAX_HASHES = 64;
const FORMAT = 'behalf-evidence@v1';

/** The bundle as a file: canonical JSON (RFC 8785). Throws VerificationError `malformed` on what it cannot hold. */
export function formatEvidence({ checkpoint, entries, disclosures, policy, timestamp }: Evidence): string {
  parseCheckpoint(parseNote(checkpoint).text);
  parsePolicy(policy);
  if (timestamp !== undefined) parseTimestampToken(timestamp);
  requireRising(entries);
  const text = JSON.stringify({
    checkpoint,
    disclosures: disclosures.map(({ key, sealed }) => ({ key: encodeBase64(key), sealed })),
    entries: entries.map(({ entry, index, proof }) => {
      requireHashes({}, proof);
      return { entry, index: String(index), proof: proof.map(encodeBase64) };
    }),
    format: FORMAT,
    policy,
    ...(timestamp === undefined ? {} : { timestamp: encodeBase64(timestamp) }),
  });
  return text;
}

/**
 * Reads a bundle without judging it. Throws VerificationError `too_large`, or `malformed` on anything formatEvidence would
 * not write.
 */
export function parseEvidence(file: string): Evidence {
  if (file.length > MAX_EVIDENCE_CHARACTERS) {
    throw new VerificationError(
      'too_large',
      `evidence: expected at most ${MAX_EVIDENCE_CHARACTERS} characters, got ${file.length}`,
    );
  }
  const { checkpoint, disclosures, entries, policy, timestamp } = objectOf(parseJson(file), 'evidence');
  const parsed: Evidence = {
    checkpoint: textOf(checkpoint, 'checkpoint'),
    entries: arrayOf(entries, 'entries').map(parseEntry),
    disclosures: arrayOf(disclosures, 'disclosures').map(parseDisclosure),
    policy: textOf(policy, 'policy'),
    ...(timestamp === undefined ? {} : { timestamp: decodeBase64(textOf(timestamp, 'timestamp')) }),
  };
  if (formatEvidence(parsed) !== file) malformed(`evidence: expected canonical JSON of format ${FORMAT}`);
  return parsed;
}

function parseEntry(value: unknown): EvidenceEntry {
  const { entry, index, proof } = objectOf(value, 'entry');
  return {
    index: parseDecimal(textOf(index, 'index'), 'evidence index'),
    entry: textOf(entry, 'entry'),
    proof: arrayOf(proof, 'proof').map((hash, i) => decodeHash(textOf(hash, 'proof'), `evidence proof hash ${i}`)),
  };
}

function parseDisclosure(value: unknown): Disclosure {
  const { key, sealed } = objectOf(value, 'disclosure');
  return { key: decodeBase64(textOf(key, 'key')), sealed: textOf(sealed, 'sealed') };
}

function requireRising(entries: readonly EvidenceEntry[]): void {
  if (entries.length < 1 || entries.length > MAX_ENTRIES) {
    malformed(`evidence: expected 1 to ${MAX_ENTRIES} entries, got ${entries.length}`);
  }
  let before = -1n;
  for (const { entry, index, proof } of entries) {
    if (index <= before || index >= 2n ** 64n) malformed(`evidence: expected rising indexes below 2^64, got ${index}`);
    if (!entry.isWellFormed()) malformed(`evidence: entry ${index} is not text in UTF-8`);
    if (proof.length > MAX_HASHES) malformed(`evidence: expected at most ${MAX_HASHES} hashes, got ${proof.length}`);
    before = index;
  }
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(file);
  } catch (cause) {
    throw new VerificationError('malformed', 'evidence: expected JSON', { cause });
  }
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  return malformed(`evidence: expected an object for ${what}`);
}

function arrayOf(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : malformed(`evidence: expected a list for ${what}`);
}

function textOf(value: unknown, what: string): string {
  return typeof value === 'string' ? value : malformed(`evidence: expected a text for ${what}`);
}
