import { TILE_WIDTH } from './tile.ts';
import { malformed } from './verification-error.ts';

/** The longest entry a bundle can hold. */
export const MAX_ENTRY_BYTES = 65_535;
/** The longest bundle. */
export const MAX_ENTRY_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES);

/** Entries as one body: each after its length in two bytes, most significant first (C2SP tlog-tiles v0.1.0). 1 to 256 of them. */
export function formatEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  requireCount(entries.length);
  const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  const view = new DataView(bundle.buffer);
  let at = 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.length > MAX_ENTRY_BYTES) {
      malformed(`entry bundle: expected at most ${MAX_ENTRY_BYTES} bytes in entry ${i}, got ${entry.length}`);
    }
    view.setUint16(at, entry.length);
    bundle.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bundle;
}

/** The entries of a bundle, as views into it. Throws VerificationError `malformed` on a cut entry, and on none or over 256. */
export function parseEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 <= bundle.length ? at + 2 + view.getUint16(at) : Number.POSITIVE_INFINITY;
    if (end > bundle.length) malformed(`entry bundle: entry ${entries.length} is cut off after ${bundle.length} bytes`);
    entries.push(bundle.subarray(at + 2, end));
    at = end;
    if (entries.length > TILE_WIDTH) break;
  }
  requireCount(entries.length);
  return entries;
}

function requireCount(count: number): void {
  if (count < 1 || count > TILE_WIDTH) malformed(`entry bundle: expected 1 to 256 entries, got ${count}`);
}
