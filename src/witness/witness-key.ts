import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { formatNote, formatVerifierKey, parseNote, verifierKeyId } from '@behalf/verify';
import { secretFromFile } from '#ledger/keys';

/** RFC 8410: a PKCS #8 Ed25519 private key is this prefix and the 32-byte seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A witness's Ed25519 key and the name it signs with. It signs whatever it is given; judging is the Witness's. */
export class WitnessKey {
  readonly name: string;
  readonly verifierKey: string;
  readonly #keyId: number;
  readonly #key: KeyObject;

  /** Throws VerificationError `malformed` for a name that cannot stand in a signature line. */
  constructor(name: string, seed: Uint8Array) {
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey(this.#key).export({ type: 'spki', format: 'der' }).subarray(-32);
    this.name = name;
    this.verifierKey = formatVerifierKey(name, publicKey, 'cosignature');
    this.#keyId = verifierKeyId(name, publicKey, 'cosignature');
  }

  /** The key in `witness.key` of the folder, made on first use. Throws LedgerError `key`. */
  static async open(folder: string, name: string): Promise<WitnessKey> {
    return new WitnessKey(name, await secretFromFile(join(folder, 'witness.key'), 32));
  }

  /** The checkpoint with this witness's cosignature alone (C2SP tlog-cosignature v1.0.1); `time` in POSIX seconds. */
  cosign(checkpoint: string, time: bigint): string {
    const { text } = parseNote(checkpoint);
    const signature = new Uint8Array(72);
    new DataView(signature.buffer).setBigUint64(0, time);
    signature.set(sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), this.#key), 8);
    return formatNote({ text, signatures: [{ name: this.name, keyId: this.#keyId, signature }] });
  }
}
