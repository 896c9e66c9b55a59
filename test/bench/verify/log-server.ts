import { createHash, generateKeyPairSync, hash, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  formatCheckpoint,
  formatEntryBundle,
  formatNote,
  formatVerifierKey,
  parseTilePath,
  verifierKeyId,
} from '@behalf/verify';
import { GrowingTree } from '../../../src/verify/growing-tree.ts';

/** Serves a log of `entries` entries of `bytes` bytes, made as they are asked for; a program of its own, told by argv. */
const [entries = 0, bytes = 0] = process.argv.slice(2).map(Number);
const filler = 'x'.repeat(Math.max(0, bytes - 12));
const entryAt = (index: number): Buffer => Buffer.from(`${String(index).padStart(12, '0')}${filler}`);

const tiles = new Map<string, Uint8Array>();
const tree = new GrowingTree();
for (let from = 0; from < entries; from += 256) {
  const leaves = new Uint8Array(32 * Math.min(256, entries - from));
  for (let i = 0; i * 32 < leaves.length; i += 1) leaves.set(leafOf(entryAt(from + i)), i * 32);
  tiles.set(`0/${from / 256}`, leaves);
  for (const { level, index, hashes } of tree.add(leaves)) if (level > 0) tiles.set(`${level}/${index}`, hashes);
}
for (const { level, index, hashes } of tree.unfinished()) tiles.set(`${level}/${index}`, hashes);

function leafOf(entry: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(0), entry]), 'buffer');
}

const origin = `bench.example/${createHash('sha256').update(String(entries)).digest('hex').slice(0, 8)}`;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
const text = formatCheckpoint({ origin, size: BigInt(entries), root: tree.root() });
const signature = {
  name: origin,
  keyId: verifierKeyId(origin, raw),
  signature: sign(null, Buffer.from(text), privateKey),
};
const note = formatNote({ text, signatures: [signature] });

function bundle(index: number, width: number): Uint8Array {
  return formatEntryBundle(Array.from({ length: width }, (_, i) => entryAt(256 * index + i)));
}

const server = createServer((request, response) => {
  const path = request.url?.slice(1) ?? '';
  if (path === 'checkpoint') return response.end(note);
  const asked = parseTilePath(path);
  const body =
    asked.kind === 'entries' ? bundle(Number(asked.index), asked.width) : tiles.get(`${asked.level}/${asked.index}`);
  return body === undefined ? response.writeHead(404).end() : response.end(body);
}).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(
    `${JSON.stringify({ url: `http://127.0.0.1:${port}`, verifierKey: formatVerifierKey(origin, raw) })}\n`,
  );
});
