import { MAX_ENTRY_BUNDLE_BYTES, parseEntryBundle } from './entry-bundle.ts';
import type { LogClient } from './log-client.ts';
import { MAX_NOTE_BYTES } from './note.ts';
import { entryBundlePath, TILE_WIDTH, type Tile, tilePath } from './tile.ts';
import { HASH_BYTES } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

/** The log's checkpoint note, unjudged. */
export async function readCheckpoint(client: LogClient): Promise<string> {
  const bytes = await client.get('checkpoint', MAX_NOTE_BYTES);
  if (bytes === undefined) throw missing('checkpoint');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new VerificationError('malformed', 'checkpoint: expected UTF-8', { cause });
  }
}

/** A tile's bytes, 32 times its width; the full tile's where the log has dropped the partial one. */
export async function readTile(client: LogClient, { level, index, width }: Tile): Promise<Uint8Array> {
  const first = index << BigInt(8 * (level + 1));
  const own = await get(client, tilePath(level, index, width), { maxBytes: width * HASH_BYTES, first });
  const full = own === undefined && width < TILE_WIDTH;
  const hashes = full ? await get(client, tilePath(level, index), { maxBytes: TILE_WIDTH * HASH_BYTES, first }) : own;
  const path = tilePath(level, index, full ? TILE_WIDTH : width);
  if (hashes === undefined) throw missing(path, first);
  const expected = (full ? TILE_WIDTH : width) * HASH_BYTES;
  if (hashes.length !== expected) {
    throw new VerificationError('malformed', `${path}: expected ${expected} bytes, got ${hashes.length}`, {
      index: first,
    });
  }
  return hashes.subarray(0, width * HASH_BYTES);
}

/** The first `width` entries of a bundle; from the full bundle where the log has dropped the partial one. */
export async function readEntries(client: LogClient, index: bigint, width: number): Promise<Uint8Array[]> {
  const first = index * BigInt(TILE_WIDTH);
  const own = await get(client, entryBundlePath(index, width), { maxBytes: MAX_ENTRY_BUNDLE_BYTES, first });
  const full = own === undefined && width < TILE_WIDTH;
  const bundle = full ? await get(client, entryBundlePath(index), { maxBytes: MAX_ENTRY_BUNDLE_BYTES, first }) : own;
  const path = entryBundlePath(index, full ? TILE_WIDTH : width);
  if (bundle === undefined) throw missing(path, first);
  const entries = parseAt(path, first, bundle);
  const expected = full ? TILE_WIDTH : width;
  if (entries.length !== expected) {
    throw new VerificationError('malformed', `${path}: expected ${expected} entries, got ${entries.length}`, {
      index: first + BigInt(Math.min(entries.length, expected)),
    });
  }
  return entries.slice(0, width);
}

/** The resource's bytes; where they cannot be had, the error names the first leaf they are about. */
async function get(
  client: LogClient,
  path: string,
  { maxBytes, first }: { readonly maxBytes: number; readonly first: bigint },
): Promise<Uint8Array | undefined> {
  try {
    return await client.get(path, maxBytes);
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause;
    throw new VerificationError(cause.code, cause.message, { index: first, cause });
  }
}

function parseAt(path: string, index: bigint, bundle: Uint8Array): Uint8Array[] {
  try {
    return parseEntryBundle(bundle);
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause;
    throw new VerificationError(cause.code, `${path}: ${cause.message}`, { index, cause });
  }
}

function missing(path: string, index?: bigint): VerificationError {
  const about = index === undefined ? {} : { index };
  return new VerificationError('unavailable', `${path}: the log does not have it, and must`, about);
}
