import { type Note, type NoteSignature, parseNote } from './note.ts';
import { VerificationError } from './verification-error.ts';
import type { VerifierKey } from './verifier-key.ts';

/** A note whose signatures by one key were checked. */
export interface OpenedNote extends Note {
  readonly verified: readonly NoteSignature[]; // at least one
}

const TIME_BYTES = 8;
const ED25519_BYTES = 64;

/**
 * Reads a note and checks the signatures of the key (C2SP signed-note v1.0.0): signatures of other keys are ignored,
 * each one under this key's name and id must verify, and there must be one. Throws VerificationError `malformed`,
 * `bad_signature` or `unsigned`. Ed25519 is WebCrypto's, hence the promise.
 */
export async function openNote(note: string, key: VerifierKey): Promise<OpenedNote> {
  const parsed = parseNote(note);
  const verified = parsed.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  if (verified.length === 0) throw new VerificationError('unsigned', `the note carries no signature by ${key.name}`);
  for (const { signature } of verified) await checkSignature(key, parsed.text, signature);
  return { ...parsed, verified };
}

/** The moment a cosignature names, in POSIX seconds. The signature must have been verified. */
export function timeOfCosignature({ signature }: NoteSignature): bigint {
  return new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
}

async function checkSignature(key: VerifierKey, text: string, signature: Uint8Array): Promise<void> {
  const signed = key.type === 'cosignature' ? cosigned(text, signature) : { message: text, signature };
  if (signed !== undefined && (await verifiesEd25519(key.publicKey, signed.message, signed.signature))) return;
  throw new VerificationError('bad_signature', `the signature by ${key.name} does not verify`);
}

/** What a witness signs: the time and the whole text (C2SP tlog-cosignature v1.0.1). Undefined for what cannot be one. */
function cosigned(text: string, signature: Uint8Array): { message: string; signature: Uint8Array } | undefined {
  if (signature.length !== TIME_BYTES + ED25519_BYTES) return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  if (time >= 2n ** 63n) return undefined;
  return { message: `cosignature/v1\ntime ${time}\n${text}`, signature: signature.subarray(TIME_BYTES) };
}

/** Ed25519 (RFC 8032) through WebCrypto. */
async function verifiesEd25519(publicKey: Uint8Array, message: string, signature: Uint8Array): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), new TextEncoder().encode(message));
}
