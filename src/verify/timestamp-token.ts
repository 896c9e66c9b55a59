import { DER, type DerValue, membersOf, oidOf, parseDer, requireTag } from './der.ts';
import { secondsOf } from './der-time.ts';
import { malformed } from './verification-error.ts';

/** What a time-stamping authority says, and what it signed to say it (RFC 3161 section 2.4.2, RFC 5652 section 5). Unjudged. */
export interface TimestampToken {
  readonly imprint: Uint8Array; // SHA-256 of what was stamped
  readonly time: bigint; // POSIX seconds, as the authority claims
  readonly nonce: Uint8Array | undefined; // DER
  readonly content: Uint8Array; // TSTInfo, which the signed attributes name by its digest
  readonly signer: Signer;
}

/** Who signed, how, and what. */
export interface Signer {
  readonly id: { readonly issuer: Uint8Array; readonly serial: Uint8Array }; // DER
  readonly digest: string; // object identifiers
  readonly algorithm: string;
  readonly attributes: ReadonlyMap<string, DerValue>; // one value each
  readonly signed: Uint8Array; // the attributes as they were signed
  readonly signature: Uint8Array;
}

/** The longest token read. */
export const MAX_TIMESTAMP_BYTES = 65_536;
export const TST_INFO = '1.2.840.113549.1.9.16.1.4';
export const SHA256 = '2.16.840.1.101.3.4.2.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const CONTEXT_0 = 0xa0;

/** Reads a token in DER, judging nothing. Throws VerificationError `malformed` on anything but one signer and SHA-256. */
export function parseTimestampToken(token: Uint8Array): TimestampToken {
  if (token.length > MAX_TIMESTAMP_BYTES) malformed(`timestamp: expected at most ${MAX_TIMESTAMP_BYTES} bytes`);
  const [type, wrapped] = sequenceOf(parseDer(token));
  if (oidOf(type) !== SIGNED_DATA) malformed('timestamp: expected signed data (RFC 5652)');
  const [signedData] = membersOf(requireTag(wrapped, CONTEXT_0, 'timestamp'));
  const members = sequenceOf(signedData);
  const signers = membersOf(requireTag(members.at(-1), DER.set, 'timestamp signers'));
  if (signers.length !== 1) malformed(`timestamp: expected one signer, got ${signers.length}`);
  const content = contentOf(members[2]);
  return { ...infoOf(content), content, signer: signerOf(signers[0]) };
}

function contentOf(value: DerValue | undefined): Uint8Array {
  const [type, wrapped] = sequenceOf(value);
  if (oidOf(type) !== TST_INFO) malformed('timestamp: expected timestamp information (RFC 3161)');
  const [octets] = membersOf(requireTag(wrapped, CONTEXT_0, 'timestamp information'));
  return requireTag(octets, DER.octets, 'timestamp information').content;
}

function infoOf(content: Uint8Array): Pick<TimestampToken, 'imprint' | 'time' | 'nonce'> {
  const [version, policy, imprint, serial, time, ...optional] = sequenceOf(parseDer(content));
  if (requireTag(version, DER.integer, 'timestamp version').content.join() !== '1')
    malformed('timestamp: expected version 1');
  oidOf(policy);
  requireTag(serial, DER.integer, 'timestamp serial');
  requireTag(time, DER.generalizedTime, 'timestamp time');
  const [algorithm, hash] = sequenceOf(imprint);
  if (oidOf(sequenceOf(algorithm)[0]) !== SHA256) malformed('timestamp: expected an imprint in SHA-256');
  const digest = requireTag(hash, DER.octets, 'timestamp imprint').content;
  if (digest.length !== 32) malformed(`timestamp: expected an imprint of 32 bytes, got ${digest.length}`);
  return { imprint: digest, time: secondsOf(time), nonce: optional.find(({ tag }) => tag === DER.integer)?.bytes };
}

function signerOf(value: DerValue | undefined): Signer {
  const [version, id, digest, attributes, algorithm, signature] = sequenceOf(value);
  if (requireTag(version, DER.integer, 'timestamp signer').content.join() !== '1') {
    malformed('timestamp: expected a signer named by issuer and serial number');
  }
  const [issuer, serial] = sequenceOf(id);
  const signed = requireTag(attributes, CONTEXT_0, 'timestamp signed attributes');
  return {
    id: {
      issuer: requireTag(issuer, DER.sequence, 'timestamp signer').bytes,
      serial: requireTag(serial, DER.integer, 'timestamp signer').bytes,
    },
    digest: oidOf(sequenceOf(digest)[0]),
    algorithm: oidOf(sequenceOf(algorithm)[0]),
    attributes: attributesOf(signed),
    signed: asSet(signed.bytes),
    signature: requireTag(signature, DER.octets, 'timestamp signature').content,
  };
}

/** Attributes by object identifier; one that comes twice, or with more than one value, is refused (RFC 5652 section 5.3). */
function attributesOf(signed: DerValue): ReadonlyMap<string, DerValue> {
  const attributes = new Map<string, DerValue>();
  for (const attribute of membersOf(signed)) {
    const [type, values] = sequenceOf(attribute);
    const [value, ...others] = membersOf(requireTag(values, DER.set, 'timestamp attribute'));
    const id = oidOf(type);
    if (value === undefined || others.length > 0 || attributes.has(id))
      malformed('timestamp: expected each attribute once');
    attributes.set(id, value);
  }
  return attributes;
}

/** What is signed is the attributes as a SET OF, not as the tagged field they stand in (RFC 5652 section 5.4). */
function asSet(field: Uint8Array): Uint8Array {
  const set = new Uint8Array(field); // a copy, of a Buffer too, whose slice is none
  set[0] = DER.set;
  return set;
}

const sequenceOf = (value: DerValue | undefined): DerValue[] => membersOf(requireTag(value, DER.sequence, 'timestamp'));
