/**
 * Checks a transparency log with no trust in who keeps it: hashes, proofs, signed checkpoints (RFC 6962, C2SP). It has no
 * dependencies, does the same in Node and browsers, accepts only what the formats' writers would have written, and says
 * which check failed in a VerificationError. Proven by test/verify.
 */

export type { Checkpoint } from './checkpoint.ts';
export { formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
export type { ConsistencyProof, SubtreeConsistencyProof } from './consistency-proof.ts';
export { checkConsistency, checkSubtreeConsistency } from './consistency-proof.ts';
export type { InclusionProof, SubtreeInclusionProof } from './inclusion-proof.ts';
export { checkInclusion, checkSubtreeInclusion } from './inclusion-proof.ts';
export type { Note, NoteSignature } from './note.ts';
export { formatNote, parseNote } from './note.ts';
export { sha256 } from './sha256.ts';
export { openNote } from './signature.ts';
export { EMPTY_ROOT, leafHash, nodeHash } from './tree-hash.ts';
export type { VerificationCode } from './verification-error.ts';
export { VERIFICATION_CODES, VerificationError } from './verification-error.ts';
export type { VerifierKey } from './verifier-key.ts';
export { formatVerifierKey, parseVerifierKey, verifierKeyId } from './verifier-key.ts';
