import { createHash, generateKeyPairSync, sign } from 'node:crypto';

/** A log written with node:crypto from the specifications alone, sharing no code with what it tests. */
export interface ReferenceLog {
  readonly size: number;
  readonly origin: string;
  readonly verifierKey: string;
  readonly note: string;
  readonly root: Buffer;
  readonly leaves: readonly Buffer[];
  readonly levels: readonly (readonly Buffer[])[]; // the tiles' hashes: leaves, then one hash per 256 of the level below
  readonly files: Map<string, Uint8Array<ArrayBuffer>>; // by path below the log's address; change them to tamper
}

export const sha = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();
export const leafOf = (entry: Uint8Array): Buffer => sha(Buffer.of(0), entry);
export const nodeOf = (left: Uint8Array, right: Uint8Array): Buffer => sha(Buffer.of(1), left, right);

/** MTH of RFC 6962 section 2.1, as it is written there. */
export function treeHash(leaves: readonly Buffer[], start = 0, end = leaves.length): Buffer {
  if (end === start) return sha();
  if (end - start === 1) return leaves[start] as Buffer;
  const middle = start + split(end - start);
  return nodeOf(treeHash(leaves, start, middle), treeHash(leaves, middle, end));
}

/** PATH of RFC 6962 section 2.1.1. */
export function pathOf(leaves: readonly Buffer[], index: number, start = 0, end = leaves.length): Buffer[] {
  if (end - start === 1) return [];
  const middle = start + split(end - start);
  return index < middle
    ? [...pathOf(leaves, index, start, middle), treeHash(leaves, middle, end)]
    : [...pathOf(leaves, index, middle, end), treeHash(leaves, start, middle)];
}

/** SUBPROOF of RFC 6962 section 2.1.2, for the first `size` leaves. */
export function subproofOf(leaves: readonly Buffer[], size: number, start = 0, end = leaves.length): Buffer[] {
  if (size === end) return start === 0 ? [] : [treeHash(leaves, start, end)];
  const middle = start + split(end - start);
  return size <= middle
    ? [...subproofOf(leaves, size, start, middle), treeHash(leaves, middle, end)]
    : [...subproofOf(leaves, size, middle, end), treeHash(leaves, start, middle)];
}

const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

export const numberedEntries = (size: number, from = 0): Buffer[] =>
  Array.from({ length: size }, (_, i) => Buffer.from(`leaf ${from + i}`));

export const { privateKey, publicKey } = generateKeyPairSync('ed25519');
export const rawPublicKey = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);

const keyIdOf = (origin: string): Buffer => sha(Buffer.from(`${origin}\n\x01`), rawPublicKey).subarray(0, 4);

/** The note of a text, signed with the key of this run under the name given. */
export function signNote(name: string, text: string): string {
  const signature = Buffer.concat([keyIdOf(name), sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
}

export function verifierKeyOf(name: string): string {
  return `${name}+${keyIdOf(name).toString('hex')}+${Buffer.concat([Buffer.of(1), rawPublicKey]).toString('base64')}`;
}

export const checkpointText = (origin: string, size: number | bigint, root: Uint8Array): string =>
  `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;

export function referenceLog(entries: readonly Buffer[], origin = 'log.example/behalf'): ReferenceLog {
  const leaves = entries.map(leafOf);
  const levels = levelsOf(leaves);
  const root = treeHash(leaves);
  const note = signNote(origin, checkpointText(origin, entries.length, root));
  const files = new Map([['checkpoint', bytes(Buffer.from(note))]]);
  writeBundles(files, entries);
  for (const [level, hashes] of levels.entries()) writeTiles(files, level, hashes);
  return { size: entries.length, origin, verifierKey: verifierKeyOf(origin), note, root, leaves, levels, files };
}

export function levelsOf(leaves: readonly Buffer[]): Buffer[][] {
  const levels = [[...leaves]];
  for (let below = levels[0] ?? []; below.length >= 256; below = levels.at(-1) ?? []) {
    levels.push(
      Array.from({ length: Math.floor(below.length / 256) }, (_, i) => treeHash(below, 256 * i, 256 * (i + 1))),
    );
  }
  return levels;
}

export function writeBundles(files: ReferenceLog['files'], entries: readonly Buffer[]): void {
  for (let n = 0; 256 * n < entries.length; n += 1) {
    const own = entries.slice(256 * n, 256 * (n + 1));
    const parts = own.flatMap((entry) => [Buffer.of(entry.length >> 8, entry.length & 255), entry]);
    files.set(`tile/entries/${nameOf(n, own.length)}`, bytes(Buffer.concat(parts)));
  }
}

export function writeTiles(files: ReferenceLog['files'], level: number, hashes: readonly Buffer[]): void {
  for (let n = 0; 256 * n < hashes.length; n += 1) {
    const own = hashes.slice(256 * n, 256 * (n + 1));
    files.set(`tile/${level}/${nameOf(n, own.length)}`, bytes(Buffer.concat(own)));
  }
}

function nameOf(n: number, width: number): string {
  let [rest, path] = [n, String(n % 1000).padStart(3, '0')];
  while (rest >= 1000) {
    rest = Math.floor(rest / 1000);
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  }
  return width === 256 ? path : `${path}.p/${width}`;
}

const bytes = (buffer: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(buffer);

export const LOG_URL = 'https://log.example/log/';

/** Answers from the files as they stand. */
export function serve(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): (url: string) => Promise<Response> {
  return async (url) => {
    if (!url.startsWith(LOG_URL)) throw new TypeError(`reference log: asked for ${url}`);
    const body = files.get(url.slice(LOG_URL.length));
    return body === undefined ? new Response('no such resource', { status: 404 }) : new Response(body);
  };
}

/** A copy with one bit flipped. */
export function flipped(hash: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(hash);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
