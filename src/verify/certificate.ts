import { decodeBase64 } from './base64.ts';
import { DER, type DerValue, membersOf, oidOf, parseDer, requireTag } from './der.ts';
import { secondsOf } from './der-time.ts';
import { malformed } from './verification-error.ts';

/** What is read of an X.509 certificate (RFC 5280 section 4.1). Nothing vouches for it but where it comes from. */
export interface Certificate {
  readonly der: Uint8Array;
  readonly issuer: Uint8Array; // DER
  readonly serial: Uint8Array; // DER
  readonly name: string; // the subject's common name, or its organisation's
  readonly notBefore: bigint; // POSIX seconds
  readonly notAfter: bigint; // POSIX seconds, included
  readonly publicKey: Uint8Array; // SubjectPublicKeyInfo in DER
  readonly onlyForTimestamps: boolean; // its critical key purpose is timestamping and nothing else (RFC 3161 section 2.3)
}

const MAX_PEM_CHARACTERS = 1_000_000;
const EXTENSIONS = 0xa3;
const VERSION = 0xa0;
const KEY_PURPOSE = '2.5.29.37';
const TIMESTAMPING = '1.3.6.1.5.5.7.3.8';
const NAMES = ['2.5.4.3', '2.5.4.10'];

/** The certificates of a PEM file (RFC 7468), at least one; text between them is skipped. Throws VerificationError `malformed`. */
export function parseCertificates(pem: string): Certificate[] {
  if (pem.length > MAX_PEM_CHARACTERS) malformed(`certificates: expected at most ${MAX_PEM_CHARACTERS} characters`);
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+?)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) malformed('certificates: expected "-----BEGIN CERTIFICATE-----" in PEM');
  return blocks.map(([, base64 = '']) => parseCertificate(decodeBase64(base64.replaceAll(/[\r\n]/g, ''))));
}

/** Reads one certificate in DER, judging nothing. Throws VerificationError `malformed`. */
export function parseCertificate(der: Uint8Array): Certificate {
  const [signed] = membersOf(requireTag(parseDer(der), DER.sequence, 'certificate'));
  const members = membersOf(requireTag(signed, DER.sequence, 'certificate'));
  if (members[0]?.tag === VERSION) members.shift();
  const [serial, , issuer, validity, subject, publicKey, ...rest] = members;
  const [notBefore, notAfter] = membersOf(requireTag(validity, DER.sequence, 'certificate validity'));
  return {
    der,
    serial: requireTag(serial, DER.integer, 'certificate serial').bytes,
    issuer: requireTag(issuer, DER.sequence, 'certificate issuer').bytes,
    name: nameOf(requireTag(subject, DER.sequence, 'certificate subject')),
    notBefore: secondsOf(notBefore),
    notAfter: secondsOf(notAfter),
    publicKey: requireTag(publicKey, DER.sequence, 'certificate key').bytes,
    onlyForTimestamps: isOnlyForTimestamps(rest.find(({ tag }) => tag === EXTENSIONS)),
  };
}

function isOnlyForTimestamps(extensions: DerValue | undefined): boolean {
  if (extensions === undefined) return false;
  const [list] = membersOf(extensions);
  for (const extension of membersOf(requireTag(list, DER.sequence, 'certificate extensions'))) {
    const [id, critical, value] = membersOf(extension);
    if (oidOf(id) !== KEY_PURPOSE) continue;
    if (critical?.tag !== DER.boolean || critical.content[0] !== 0xff) return false;
    const purposes = membersOf(parseDer(requireTag(value, DER.octets, 'certificate key purpose').content)).map(oidOf);
    return purposes.length === 1 && purposes[0] === TIMESTAMPING;
  }
  return false;
}

function nameOf(subject: DerValue): string {
  const named = new Map<string, string>();
  for (const attribute of membersOf(subject).flatMap(membersOf)) {
    const [id, value] = membersOf(attribute);
    if (value !== undefined) named.set(oidOf(id), new TextDecoder().decode(value.content));
  }
  for (const id of NAMES) if (named.has(id)) return named.get(id) ?? '';
  return 'a certificate without a name';
}
