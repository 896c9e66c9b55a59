import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';

/*
 * A sealed value: version (1) || salt (16) || commitment (32) || AES-256-GCM ciphertext || tag (16), base64url.
 * Each value has its own key, HKDF-SHA256(person key, salt), so disclosing one value's key discloses no other; the key
 * is used once, so the nonce is constant. The commitment, a hash of the value's key, makes the key the only one that
 * opens it (GCM alone is not key-committing). The plaintext is its length and zero padding to 32 bytes, so that the
 * size of a name tells little.
 */
const VERSION = 1;
const SALT = 16;
const COMMITMENT = 32;
const TAG = 16;
const HEAD = 1 + SALT + COMMITMENT;
const NONCE = new Uint8Array(12);
const BLOCK = 32;

/** What cannot be opened: wrong key, altered bytes, or not a sealed value. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Seals `text` (at most 65,535 bytes of UTF-8) under a person's 32-byte key, bound to `context` (the log's origin). Keys as
 * KeyObject: node inspects bytes anew in every call, at three times the cost of all the rest.
 */
export function seal(personKey: KeyObject, context: string, text: string): string {
  const salt = newSalt();
  const key = valueKey(personKey, salt);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), NONCE).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(pad(text)), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([Uint8Array.of(VERSION), salt, commitmentTo(key), body]).toString('base64url');
}

/** Opens what `seal` made. Throws SealError. */
export function open(personKey: KeyObject, context: string, sealed: string): string {
  const bytes = bytesOf(sealed);
  const key = keyFor(personKey, bytes);
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), NONCE)
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG));
  return unpad(finish(decipher, bytes.subarray(HEAD, -TAG)));
}

/**
 * The key that opens this one sealed value, and no other: what is given to someone who may see it (`openDisclosure` of
 * @behalf/verify). It tells nothing of the person's key. Throws SealError.
 */
export const disclose = (personKey: KeyObject, sealed: string): Uint8Array => keyFor(personKey, bytesOf(sealed));

function bytesOf(sealed: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes[0] === VERSION && bytes.length >= HEAD + BLOCK + TAG && bytes.toString('base64url') === sealed)
    return bytes;
  throw new SealError('not a sealed value of version 1');
}

function keyFor(personKey: KeyObject, bytes: Buffer): Buffer {
  const key = valueKey(personKey, bytes.subarray(1, 1 + SALT));
  if (commitmentTo(key).equals(bytes.subarray(1 + SALT, HEAD))) return key;
  throw new SealError('sealed under another key');
}

function finish(decipher: ReturnType<typeof createDecipheriv>, body: Uint8Array): Buffer {
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (cause) {
    throw new SealError('sealed value was altered', { cause });
  }
}

const salts = Buffer.alloc(256 * SALT);
let saltAt = salts.length;

/** Fresh random bytes, taken from the system many at a time; valid until the next call. */
function newSalt(): Uint8Array {
  if (saltAt === salts.length) {
    randomFillSync(salts);
    saltAt = 0;
  }
  saltAt += SALT;
  return salts.subarray(saltAt - SALT, saltAt);
}

const valueKey = (personKey: KeyObject, salt: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', personKey, salt, 'behalf/seal/v1', 32));

const COMMITMENT_LABEL = Buffer.from('behalf/seal/v1/commitment\0');
const commitmentTo = (key: Uint8Array): Buffer => hash('sha256', Buffer.concat([COMMITMENT_LABEL, key]), 'buffer');

function pad(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 0xffff) throw new TypeError('seal: at most 65,535 bytes');
  const padded = Buffer.alloc(Math.ceil((bytes.length + 2) / BLOCK) * BLOCK);
  padded.writeUInt16BE(bytes.length);
  bytes.copy(padded, 2);
  return padded;
}

const unpad = (padded: Buffer): string => padded.subarray(2, 2 + padded.readUInt16BE()).toString('utf8');

/** Keys derived from the log's master key: one to look persons up, one to wrap their keys, one to tag addresses. */
export interface MasterKeys {
  /** Tells master keys apart and reveals nothing of them. */
  readonly check: Buffer; // 32 bytes
  lookup(issuer: string, id: string): Buffer; // 32 bytes
  tag(address: string): string;
  wrap(personKey: Uint8Array, ref: string): Buffer;
  unwrap(wrapped: Uint8Array, ref: string): KeyObject; // throws SealError
}

/** `master`: 32 random bytes kept outside the database, so that the database alone opens nothing. */
export function masterKeys(master: Uint8Array): MasterKeys {
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', master, new Uint8Array(0), `behalf/master/v1/${purpose}`, 32));
  const keyFor = (purpose: string) => createSecretKey(derive(purpose));
  const [lookupKey, wrapKey, tagKey] = [keyFor('lookup'), keyFor('wrap'), keyFor('address')];
  return {
    check: derive('check'),
    lookup: (issuer, id) =>
      createHmac('sha256', lookupKey)
        .update(JSON.stringify([issuer, id]))
        .digest(),
    tag: (address) => `a_${createHmac('sha256', tagKey).update(address).digest('hex').slice(0, 24)}`,
    wrap: (personKey, ref) => Buffer.from(seal(wrapKey, ref, Buffer.from(personKey).toString('hex')), 'base64url'),
    unwrap: (wrapped, ref) =>
      createSecretKey(Buffer.from(open(wrapKey, ref, Buffer.from(wrapped).toString('base64url')), 'hex')),
  };
}
