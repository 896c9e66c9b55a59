import { malformed } from './verification-error.ts';

/** One value in DER (X.690): what it is, what it holds, and its bytes as a whole. Views into what was read. */
export interface DerValue {
  readonly tag: number; // the identifier octet: class, constructed, number
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Identifier octets. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const LONG_TAG = 31;
const MAX_LENGTH_BYTES = 3;
const MAX_OID_BYTES = 64;

/** Reads bytes that are one value, whole. Throws VerificationError `malformed` on anything formatDer would not write. */
export function parseDer(bytes: Uint8Array): DerValue {
  const value = readAt(bytes, 0);
  if (value.bytes.length !== bytes.length) malformed(`DER: ${bytes.length - value.bytes.length} bytes after the value`);
  return value;
}

/** The values inside a constructed one, in order. Throws VerificationError `malformed`. */
export function membersOf({ tag, content }: DerValue): DerValue[] {
  if ((tag & 0x20) === 0) malformed(`DER: expected a constructed value, got tag ${tag}`);
  const members: DerValue[] = [];
  for (let at = 0; at < content.length; ) {
    const member = readAt(content, at);
    members.push(member);
    at += member.bytes.length;
  }
  return members;
}

/** The value as bytes, its length in the shortest form. */
export function formatDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag, ...lengthOctets(length)];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The value when its tag is the one expected; `what` names it in the error. Throws VerificationError `malformed`. */
export function requireTag(value: DerValue | undefined, tag: number, what: string): DerValue {
  if (value?.tag !== tag) malformed(`${what}: expected DER tag ${tag}, got ${value?.tag ?? 'nothing'}`);
  return value;
}

/** An object identifier as dotted numbers (X.690 section 8.19). Throws VerificationError `malformed`. */
export function oidOf(value: DerValue | undefined): string {
  const { content } = requireTag(value, DER.oid, 'object identifier');
  if (content.length > MAX_OID_BYTES) malformed(`object identifier: expected at most ${MAX_OID_BYTES} bytes`);
  const numbers: bigint[] = [];
  let [number, more] = [0n, false];
  for (const byte of content) {
    if (!more && byte === 0x80) malformed('object identifier: expected its shortest form');
    number = (number << 7n) | BigInt(byte & 0x7f);
    more = (byte & 0x80) !== 0;
    if (more) continue;
    numbers.push(number);
    number = 0n;
  }
  const first = numbers.shift();
  if (first === undefined || more) malformed('object identifier: expected a whole one');
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...numbers].join('.');
}

function readAt(bytes: Uint8Array, start: number): DerValue {
  const [tag, first] = [bytes[start], bytes[start + 1]];
  if (tag === undefined || first === undefined) malformed('DER: a value is cut off');
  if ((tag & LONG_TAG) === LONG_TAG) malformed('DER: expected a tag number below 31');
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || count > MAX_LENGTH_BYTES) malformed('DER: expected a definite length below 2^24');
  const from = start + 2 + count;
  const length = count === 0 ? first : bytes.subarray(start + 2, from).reduce((sum, byte) => sum * 256 + byte, 0);
  if (from + length > bytes.length) malformed('DER: a value is cut off');
  if (1 + lengthOctets(length).length !== from - start) malformed('DER: expected the shortest length');
  return { tag, content: bytes.subarray(from, from + length), bytes: bytes.subarray(start, from + length) };
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  return [0x80 | octets.length, ...octets];
}
