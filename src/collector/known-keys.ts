interface Known {
  readonly key: string;
  readonly bytes: Uint8Array;
}

const SLOTS = 1024;

/**
 * A fixed set of keys, found in bytes without making strings of those that are not in it: most attributes of telemetry are
 * read by nobody. What is found is always the same string, which later look-ups need not hash again.
 */
export class KnownKeys {
  readonly #keys: ReadonlySet<string>;
  readonly #slots: Known[][] = Array.from({ length: SLOTS }, () => []);

  constructor(keys: Iterable<string>) {
    this.#keys = new Set(keys);
    for (const key of this.#keys) {
      const bytes = Buffer.from(key);
      this.#slots[slotOf(bytes, 0, bytes.length)]?.push({ key, bytes });
    }
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** The key whose UTF-8 form are the `length` bytes from `from` on. */
  find(bytes: Uint8Array, from: number, length: number): string | undefined {
    for (const known of this.#slots[slotOf(bytes, from, length)] ?? [])
      if (known.bytes.length === length && standsAt(known.bytes, bytes, from)) return known.key;
    return undefined;
  }
}

/** By length and four of its bytes: what names of attributes differ in. */
function slotOf(bytes: Uint8Array, from: number, length: number): number {
  if (length === 0) return 0;
  const at = (place: number) => bytes[place] ?? 0;
  const last = from + length - 1;
  const sum = at(from) * 31 + at(from + (length >>> 1)) * 17 + at(last) * 7 + at(Math.max(from, last - 2)) * 61;
  return (length * 389 + sum) & (SLOTS - 1);
}

function standsAt(key: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < key.length; i += 1) if (key[i] !== bytes[from + i]) return false;
  return true;
}
