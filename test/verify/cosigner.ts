import { generateKeyPairSync, sign } from 'node:crypto';
import { formatNote, formatVerifierKey, parseNote, verifierKeyId } from '@behalf/verify';

/** A witness that signs whatever it is given, with node:crypto. */
export interface Cosigner {
  readonly name: string;
  readonly verifierKey: string;
  readonly publicKey: Uint8Array;
  /** The note with this witness's cosignature added. */
  cosign(note: string, time?: bigint): string;
}

export function cosigner(name: string): Cosigner {
  const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
  const publicKey = new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(-32));
  const cosign = (note: string, time = 1_793_439_700n): string => {
    const { text, signatures } = parseNote(note);
    const signature = new Uint8Array(72);
    new DataView(signature.buffer).setBigUint64(0, time);
    signature.set(sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), privateKey), 8);
    const keyId = verifierKeyId(name, publicKey, 'cosignature');
    return formatNote({ text, signatures: [...signatures, { name, keyId, signature }] });
  };
  return { name, verifierKey: formatVerifierKey(name, publicKey, 'cosignature'), publicKey, cosign };
}
