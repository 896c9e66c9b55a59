import { createCipheriv, createHash, randomBytes } from 'node:crypto';

/** A value sealed under a key of its own, with node:crypto from the format's description alone. */
export function sealWith(key: Uint8Array, origin: string, text: string, plaintext = padded(text)): string {
  const commitment = createHash('sha256').update('behalf/seal/v1/commitment\0').update(key).digest();
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12)).setAAD(Buffer.from(origin));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([Buffer.of(1), randomBytes(16), commitment, body]).toString('base64url');
}

export function padded(text: string): Buffer {
  const bytes = Buffer.from(text);
  const block = Buffer.alloc(Math.ceil((bytes.length + 2) / 32) * 32);
  block.writeUInt16BE(bytes.length);
  bytes.copy(block, 2);
  return block;
}
