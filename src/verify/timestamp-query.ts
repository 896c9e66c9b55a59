import { DER, formatDer, membersOf, parseDer, requireTag } from './der.ts';
import { MAX_TIMESTAMP_BYTES, parseTimestampToken } from './timestamp-token.ts';
import { sameHash } from './tree-hash.ts';
import { malformed, VerificationError } from './verification-error.ts';

const SHA256_ALGORITHM = new Uint8Array([0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]);
const STATUS_BYTES = 4096;
const GRANTED = [0, 1]; // granted, granted with modifications

/** What is asked of an authority: to stamp a SHA-256 hash. */
export interface TimestampQuery {
  readonly imprint: Uint8Array; // 32 bytes
  readonly nonce: Uint8Array; // 8 random bytes: the answer must repeat them
}

/** The longest answer read. */
export const MAX_TIMESTAMP_ANSWER_BYTES = MAX_TIMESTAMP_BYTES + STATUS_BYTES;

/** The request, sent as application/timestamp-query (RFC 3161 section 2.4.1). Throws VerificationError `malformed`. */
export function formatTimestampQuery({ imprint, nonce }: TimestampQuery): Uint8Array {
  if (imprint.length !== 32) malformed(`timestamp: expected an imprint of 32 bytes, got ${imprint.length}`);
  return formatDer(
    DER.sequence,
    formatDer(DER.integer, new Uint8Array([1])),
    formatDer(DER.sequence, SHA256_ALGORITHM, formatDer(DER.octets, imprint)),
    nonceOf(nonce),
    formatDer(DER.boolean, new Uint8Array([0xff])), // with its certificate
  );
}

/**
 * The token of an answer (RFC 3161 section 2.4.2) when it was granted and stamps what was asked; who signed it is not judged.
 * Throws VerificationError `timestamp` when the authority refused or answered something else, or `malformed`.
 */
export function parseTimestampAnswer(answer: Uint8Array, { imprint, nonce }: TimestampQuery): Uint8Array {
  const [status, token] = membersOf(requireTag(parseDer(answer), DER.sequence, 'timestamp answer'));
  const [code] = membersOf(requireTag(status, DER.sequence, 'timestamp answer'));
  const said = Number(requireTag(code, DER.integer, 'timestamp answer').content.join(''));
  if (!GRANTED.includes(said)) refuse(`the authority refused, with status ${said}`);
  if (token === undefined) refuse('the authority granted it and sent none');
  const read = parseTimestampToken(token.bytes);
  if (!sameHash(read.imprint, imprint)) refuse('the authority stamped something else');
  if (read.nonce === undefined || !sameHash(read.nonce, nonceOf(nonce))) refuse('the answer is not to this request');
  return new Uint8Array(token.bytes);
}

/** An INTEGER above 0, in its shortest form. */
function nonceOf(nonce: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(nonce);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return formatDer(DER.integer, bytes);
}

function refuse(why: string): never {
  throw new VerificationError('timestamp', `timestamp: ${why}`);
}
