import { type Note, type NoteSignature, parseNote } from './note.ts';
import { VerificationError } from './verification-error.ts';
import type { VerifierKey } from './verifier-key.ts';

/**
 * Reads a note and checks the signatures of the key (C2SP signed-note v1.0.0): signatures of other keys are ignored,
 * each one under this key's name and id must verify, and there must be one. Throws VerificationError `malformed`,
 * `bad_signature` or `unsigned`. Ed25519 is WebCrypto's, hence the promise.
 */
export async function openNote(note: string, key: VerifierKey): Promise<Note> {
  const parsed = parseNote(note);
  const own = parsed.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  if (own.length === 0) throw new VerificationError('unsigned', `the note carries no signature by ${key.name}`);
  const text = new TextEncoder().encode(parsed.text);
  for (const signature of own) await checkSignature(key, text, signature);
  return parsed;
}

async function checkSignature(key: VerifierKey, text: Uint8Array, { signature }: NoteSignature): Promise<void> {
  if (signature.length === 64 && (await verifiesEd25519(key.publicKey, text, signature))) return;
  throw new VerificationError('bad_signature', `the signature by ${key.name} does not verify`);
}

/** Ed25519 (RFC 8032) through WebCrypto. A public key the runtime cannot read verifies nothing. */
async function verifiesEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(message));
}
