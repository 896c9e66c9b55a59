/**
 * Checks a transparency log with no trust in who keeps it: hashes, proofs, signed checkpoints, tiles, whole logs (RFC 6962,
 * C2SP). It has no dependencies, does the same in Node and browsers, accepts only what the formats' writers would have
 * written, and says which check failed in a VerificationError. Proven by test/verify.
 */

export type { AddCheckpoint } from './add-checkpoint.ts';
export { formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts';
export type { Certificate } from './certificate.ts';
export { parseCertificates } from './certificate.ts';
export type { CheckedEvidence, Disclosed, EvidenceTimestamp } from './check-evidence.ts';
export { checkEvidence } from './check-evidence.ts';
export type { AcceptedCheckpoint } from './check-policy.ts';
export { checkPolicy, cosignaturesOf, meetsQuorum } from './check-policy.ts';
export type { CheckedTimestamp } from './check-timestamp.ts';
export { checkTimestamp } from './check-timestamp.ts';
export type { Checkpoint, Cosigned } from './checkpoint.ts';
export { formatCheckpoint, openCheckpoint, openCosignature, parseCheckpoint } from './checkpoint.ts';
export type { ConsistencyProof, SubtreeConsistencyProof } from './consistency-proof.ts';
export { checkConsistency, checkSubtreeConsistency } from './consistency-proof.ts';
export type { Disclosure } from './disclosure.ts';
export { openDisclosure } from './disclosure.ts';
export { formatEntryBundle, MAX_ENTRY_BYTES, parseEntryBundle } from './entry-bundle.ts';
export type { Evidence, EvidenceEntry } from './evidence.ts';
export { formatEvidence, MAX_EVIDENCE_CHARACTERS, parseEvidence } from './evidence.ts';
export { evidenceOfPage, formatEvidencePage, isEvidencePage } from './evidence-page.ts';
export type { HandOver } from './hand-over.ts';
export { followHandOvers, formatHandOver, formatHandOverNote, openHandOver, parseHandOver } from './hand-over.ts';
export type { InclusionProof, SubtreeInclusionProof } from './inclusion-proof.ts';
export { checkInclusion, checkSubtreeInclusion } from './inclusion-proof.ts';
export type { Fetch } from './log-client.ts';
export type { Note, NoteSignature } from './note.ts';
export { formatNote, parseNote } from './note.ts';
export type { Policy, PolicyGroup, PolicyLog, PolicyWitness } from './policy.ts';
export { policyOfLog } from './policy.ts';
export { formatPolicy, parsePolicy } from './policy-file.ts';
export { portableSha256 } from './portable-sha256.ts';
export type { HashReader } from './prove.ts';
export { consistencyNodes, inclusionNodes, proveConsistency, proveInclusion } from './prove.ts';
export { sha256 } from './sha256.ts';
export type { OpenedNote } from './signature.ts';
export { openNote } from './signature.ts';
export type { Subtree } from './subtree.ts';
export { perfectSubtrees } from './subtree.ts';
export type { Tile, TilePath } from './tile.ts';
export { entryBundlePath, parseTilePath, TILE_WIDTH, tilePath, tileWidth } from './tile.ts';
export type { TileSource } from './tile-reader.ts';
export { rightEdge, tileHashReader } from './tile-reader.ts';
export type { TimestampQuery } from './timestamp-query.ts';
export { formatTimestampQuery, MAX_TIMESTAMP_ANSWER_BYTES, parseTimestampAnswer } from './timestamp-query.ts';
export type { TimestampToken } from './timestamp-token.ts';
export { parseTimestampToken } from './timestamp-token.ts';
export type { ProvenLeaf, TlogProof } from './tlog-proof.ts';
export { checkTlogProof, formatTlogProof, parseTlogProof } from './tlog-proof.ts';
export { EMPTY_ROOT, leafHash, nodeHash } from './tree-hash.ts';
export type { VerificationCode } from './verification-error.ts';
export { VERIFICATION_CODES, VerificationError } from './verification-error.ts';
export type { KeyType, VerifierKey } from './verifier-key.ts';
export { formatVerifierKey, parseVerifierKey, verifierKeyId } from './verifier-key.ts';
export type { LogReport, VerifyLogOptions } from './verify-log.ts';
export { verifyLog } from './verify-log.ts';
