const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, [0x7b, 0x5b], [0x7d, 0x5d]];
const ID_MEMBER = Buffer.from('"id":"');
const ID_LENGTH = 36;

/**
 * The observation id of an entry: its outermost member "id", where that has an id's form. Bytes may be hostile: one pass,
 * no parsing of the rest, which took longer than hashing it.
 */
export function entryId(bytes: Uint8Array): string | undefined {
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      if (depth === 1 && isIdMember(bytes, at)) return idAt(bytes, at + ID_MEMBER.length);
      at = endOfText(bytes, at);
    } else if (byte === OPEN[0] || byte === OPEN[1]) depth += 1;
    else if (byte === CLOSE[0] || byte === CLOSE[1]) depth -= 1;
  }
  return undefined;
}

/** Where the quote is that ends the text which begins with the quote at `from`. */
function endOfText(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** A text that stands for a value is followed by no colon. */
function isIdMember(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < ID_MEMBER.length; i += 1) if (bytes[at + i] !== ID_MEMBER[i]) return false;
  return true;
}

function idAt(bytes: Uint8Array, at: number): string | undefined {
  if (bytes[at + ID_LENGTH] !== QUOTE) return undefined;
  const id = Buffer.from(bytes.buffer, bytes.byteOffset + at, ID_LENGTH).toString('latin1');
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(id) ? id : undefined;
}
