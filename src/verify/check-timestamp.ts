import type { Certificate } from './certificate.ts';
import { DER, type DerValue, membersOf, oidOf, requireTag } from './der.ts';
import { sha256 } from './sha256.ts';
import { DIGESTS, verifiesSignature } from './signature-algorithm.ts';
import { parseTimestampToken, SHA256, type Signer, type TimestampToken, TST_INFO } from './timestamp-token.ts';
import { sameHash } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

/** By whom and when something was stamped. */
export interface CheckedTimestamp {
  readonly authority: string; // as its certificate names it
  readonly time: bigint; // POSIX seconds
}

const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12'; // named by SHA-1 (RFC 2634)
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'; // RFC 5035

/**
 * Checks an RFC 3161 token offline: it stamps these bytes, and one of the given authorities signed it while its certificate was
 * valid. The authorities come from a source the caller trusts, each as the certificate it signs with: chains are not followed,
 * and the certificates inside the token are not looked at. Throws VerificationError `timestamp`, or `malformed`.
 */
export async function checkTimestamp(given: {
  readonly token: Uint8Array;
  readonly stamped: Uint8Array;
  readonly authorities: readonly Certificate[];
}): Promise<CheckedTimestamp> {
  const token = parseTimestampToken(given.token);
  if (!sameHash(token.imprint, sha256(given.stamped))) refuse('it stamps something else than this checkpoint');
  const authority = authorityOf(token.signer, given.authorities);
  await checkAttributes(token, authority);
  const { signer, time } = token;
  const digest = DIGESTS[signer.digest] ?? refuse(`expected a digest of SHA-2, got algorithm ${signer.digest}`);
  const { algorithm, signed: message, signature } = signer;
  if (!(await verifiesSignature({ publicKey: authority.publicKey, algorithm, digest, message, signature }))) {
    refuse(`the signature by ${authority.name} does not verify`);
  }
  if (time < authority.notBefore || time > authority.notAfter) {
    refuse(`the certificate of ${authority.name} was not valid at the time stamped`);
  }
  return { authority: authority.name, time };
}

function authorityOf({ id }: Signer, authorities: readonly Certificate[]): Certificate {
  const found = authorities.find(({ issuer, serial }) => sameHash(issuer, id.issuer) && sameHash(serial, id.serial));
  if (found === undefined) return refuse('none of the authorities you trust signed it');
  if (!found.onlyForTimestamps) refuse(`the certificate of ${found.name} is not one for timestamps alone`);
  return found;
}

/** The signed attributes bind the content and the certificate (RFC 5652 section 5.4, RFC 5816). */
async function checkAttributes({ content, signer }: TimestampToken, authority: Certificate): Promise<void> {
  const { attributes, digest } = signer;
  if (oidOf(attributes.get(CONTENT_TYPE)) !== TST_INFO) refuse('its signature is of something else than a timestamp');
  const stated = requireTag(attributes.get(MESSAGE_DIGEST), DER.octets, 'timestamp digest').content;
  const name = DIGESTS[digest] ?? refuse(`expected a digest of SHA-2, got algorithm ${digest}`);
  if (!sameHash(stated, await hashOf(name, content))) refuse('its content is not what was signed');
  const [named, hash] = namedCertificate(attributes);
  if (!sameHash(named, await hashOf(hash, authority.der))) refuse(`it names another certificate of ${authority.name}`);
}

function namedCertificate(attributes: ReadonlyMap<string, DerValue>): [digest: Uint8Array, hash: string] {
  const [value, v1] = [attributes.get(SIGNING_CERTIFICATE_V2), attributes.get(SIGNING_CERTIFICATE)];
  const list = membersOf(requireTag(value ?? v1, DER.sequence, 'timestamp certificate'))[0];
  const [first] = membersOf(requireTag(list, DER.sequence, 'timestamp certificate'));
  const members = membersOf(requireTag(first, DER.sequence, 'timestamp certificate'));
  const algorithm = value !== undefined && members[0]?.tag === DER.sequence ? members.shift() : undefined;
  const { content } = requireTag(members[0], DER.octets, 'timestamp certificate');
  if (value === undefined) return [content, 'SHA-1'];
  const id = algorithm === undefined ? SHA256 : oidOf(membersOf(algorithm)[0]);
  return [content, DIGESTS[id] ?? refuse(`expected a certificate named by SHA-2, got algorithm ${id}`)];
}

async function hashOf(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(name, new Uint8Array(bytes)));
}

function refuse(why: string): never {
  throw new VerificationError('timestamp', `timestamp: ${why}`);
}
