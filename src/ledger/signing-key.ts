import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { formatNote, formatVerifierKey, verifierKeyId } from '@behalf/verify';
import { secretFromFile } from './key-file.ts';

/** RFC 8410: a PKCS #8 Ed25519 private key is this prefix and the 32-byte seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A log's Ed25519 key. It signs whatever it is given; judging is the Signer's. */
export class SigningKey {
  readonly #key: KeyObject;
  readonly #publicKey: Uint8Array;

  constructor(seed: Uint8Array) {
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    this.#publicKey = createPublicKey(this.#key).export({ type: 'spki', format: 'der' }).subarray(-32);
  }

  /** The key in `signer.key` of the folder, made on first use. Throws LedgerError `key`. */
  static async open(folder: string): Promise<SigningKey> {
    return new SigningKey(await secretFromFile(join(folder, 'signer.key'), 32));
  }

  verifierKey(origin: string): string {
    return formatVerifierKey(origin, this.#publicKey);
  }

  /** The text as a note signed under this name (C2SP signed-note v1.0.0). The same text gives the same note. */
  signNote(name: string, text: string): string {
    const keyId = verifierKeyId(name, this.#publicKey);
    return formatNote({ text, signatures: [{ name, keyId, signature: sign(null, Buffer.from(text), this.#key) }] });
  }
}
