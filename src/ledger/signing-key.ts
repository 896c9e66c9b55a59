import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { formatNote, formatVerifierKey, type NoteSignature, verifierKeyId } from '@behalf/verify';

/** RFC 8410: a PKCS #8 Ed25519 private key is this prefix and the 32-byte seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** What signs texts under a log's name, here or elsewhere. It signs whatever it is given; judging is the Signer's. */
export interface NoteKey {
  readonly publicKey: Uint8Array; // 32 bytes, Ed25519
  /** The signature of a text, 64 bytes. Throws LedgerError `unsigned` when there is none to be had. */
  sign(text: string): Promise<Uint8Array>;
}

/** An Ed25519 key in memory. */
export class SigningKey implements NoteKey {
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;

  /** From its seed of 32 bytes. */
  constructor(seed: Uint8Array) {
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    this.publicKey = createPublicKey(this.#key).export({ type: 'spki', format: 'der' }).subarray(-32);
  }

  async sign(text: string): Promise<Uint8Array> {
    return sign(null, Buffer.from(text), this.#key);
  }

  verifierKey(origin: string): string {
    return formatVerifierKey(origin, this.publicKey);
  }

  /** The text as a note signed under this name (C2SP signed-note v1.0.0). The same text gives the same note. */
  signNote(name: string, text: string): string {
    const keyId = verifierKeyId(name, this.publicKey);
    return formatNote({ text, signatures: [{ name, keyId, signature: sign(null, Buffer.from(text), this.#key) }] });
  }
}

/** The text's signature as a line of its note, under this name (C2SP signed-note v1.0.0). */
export async function signatureBy(key: NoteKey, name: string, text: string): Promise<NoteSignature> {
  return { name, keyId: verifierKeyId(name, key.publicKey), signature: await key.sign(text) };
}
