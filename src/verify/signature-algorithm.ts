import { DER, membersOf, oidOf, parseDer, requireTag } from './der.ts';
import { malformed } from './verification-error.ts';

/** Digests by object identifier, as WebCrypto names them. SHA-1 names certificates only, never what is signed. */
export const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};
/** Signature algorithms, and the digest each fixes; plain RSA takes the signer's. */
const RSA: Readonly<Record<string, string | undefined>> = {
  '1.2.840.113549.1.1.1': undefined,
  '1.2.840.113549.1.1.11': 'SHA-256',
  '1.2.840.113549.1.1.12': 'SHA-384',
  '1.2.840.113549.1.1.13': 'SHA-512',
};
const ECDSA: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'SHA-256',
  '1.2.840.10045.4.3.3': 'SHA-384',
  '1.2.840.10045.4.3.4': 'SHA-512',
};
const CURVES: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  '1.2.840.10045.3.1.7': ['P-256', 32],
  '1.3.132.0.34': ['P-384', 48],
  '1.3.132.0.35': ['P-521', 66],
};

export interface Signed {
  readonly publicKey: Uint8Array; // SubjectPublicKeyInfo in DER
  readonly algorithm: string; // object identifier
  readonly digest: string; // as WebCrypto names it
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Whether a signature in RSA (PKCS #1 v1.5) or ECDSA verifies, through WebCrypto. Throws VerificationError `malformed` on other algorithms. */
export async function verifiesSignature(signed: Signed): Promise<boolean> {
  if (signed.algorithm in RSA) return verifiesRsa(signed, RSA[signed.algorithm] ?? signed.digest);
  const hash = ECDSA[signed.algorithm];
  if (hash === undefined) malformed(`signature: expected RSA or ECDSA with SHA-2, got algorithm ${signed.algorithm}`);
  return verifiesEcdsa(signed, hash);
}

async function verifiesRsa({ publicKey, message, signature }: Signed, hash: string): Promise<boolean> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash } as const;
  const key = await imported(publicKey, algorithm);
  return crypto.subtle.verify(algorithm.name, key, new Uint8Array(signature), new Uint8Array(message));
}

async function verifiesEcdsa({ publicKey, message, signature }: Signed, hash: string): Promise<boolean> {
  const [algorithm] = membersOf(parseDer(publicKey));
  const [, curve] = membersOf(requireTag(algorithm, DER.sequence, 'public key'));
  const [namedCurve, bytes] = CURVES[oidOf(curve)] ?? malformed('public key: expected P-256, P-384 or P-521');
  const key = await imported(publicKey, { name: 'ECDSA', namedCurve });
  return crypto.subtle.verify({ name: 'ECDSA', hash }, key, rawSignature(signature, bytes), new Uint8Array(message));
}

type Algorithm =
  | { readonly name: 'RSASSA-PKCS1-v1_5'; readonly hash: string }
  | { readonly name: 'ECDSA'; readonly namedCurve: string };

/** A public key as WebCrypto holds it, without naming its types, which Node and browsers declare apart. */
async function imported(publicKey: Uint8Array, algorithm: Algorithm) {
  try {
    return await crypto.subtle.importKey('spki', new Uint8Array(publicKey), algorithm, false, ['verify']);
  } catch {
    return malformed('public key: it is not one of the algorithm that signed'); // WebCrypto says no more
  }
}

/** From SEQUENCE { r, s } to r || s, as WebCrypto takes it. */
function rawSignature(der: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const numbers = membersOf(requireTag(parseDer(der), DER.sequence, 'signature'));
  if (numbers.length !== 2) malformed('signature: expected two numbers');
  const raw = new Uint8Array(2 * bytes);
  for (const [i, number] of numbers.entries()) {
    const { content } = requireTag(number, DER.integer, 'signature');
    const digits = content[0] === 0 ? content.subarray(1) : content;
    if (digits.length > bytes) malformed('signature: a number is longer than the curve');
    raw.set(digits, (i + 1) * bytes - digits.length);
  }
  return raw;
}
