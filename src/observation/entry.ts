import { canonicalWriter } from './canonical.ts';
import { Entry } from './observation.ts';
import { checkEntry, ObservationError } from './parse.ts';

/** Largest entry a C2SP entry bundle can hold: its length is a 16-bit number. */
export const MAX_ENTRY_BYTES = 65_535;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The exact bytes of an entry: RFC 8785 canonical JSON in UTF-8. Throws ObservationError beyond 65,535 bytes and on text
 * that has no UTF-8 form (a lone surrogate).
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const bytes = Buffer.from(canonicalText(entry)); // TextEncoder was measured: four times as long for texts of this size
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new ObservationError(
      `entry of ${bytes.length} bytes: expected at most ${MAX_ENTRY_BYTES}; send fewer or shorter fields`,
    );
  }
  return bytes;
}

const writers = new Map(Entry.anyOf.map((shape) => [shape.properties.kind.const, canonicalWriter(shape)] as const));

function canonicalText(entry: Entry): string {
  try {
    const write = writers.get(entry.kind);
    if (write === undefined) throw new TypeError(`encodeEntry: no entry is of kind ${entry.kind}`);
    return write(entry);
  } catch (cause) {
    throw new ObservationError('entry holds text or a number that has no canonical form (RFC 8785)', { cause });
  }
}

/**
 * Reads an entry's bytes back. Accepts only what encodeEntry would have written: valid UTF-8, canonical form, closed
 * schema. Throws ObservationError.
 */
export function parseEntry(bytes: Uint8Array): Entry {
  const value = parseJson(bytes);
  const entry = checkEntry(value);
  const again = encodeEntry(entry);
  if (Buffer.compare(again, bytes) !== 0)
    throw new ObservationError('entry bytes are not in canonical form (RFC 8785)');
  return entry;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(strictUtf8.decode(bytes));
  } catch (cause) {
    throw new ObservationError('entry bytes are not JSON in UTF-8', { cause });
  }
}
