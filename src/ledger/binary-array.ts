/** OIDs of element types (PostgreSQL, pg_type). */
const ELEMENT = { int2: { oid: 21, bytes: 2 }, int4: { oid: 23, bytes: 4 }, int8: { oid: 20, bytes: 8 } } as const;

/**
 * An array as PostgreSQL's binary form has it (array_recv): pg sends bytes as they are, and spells an array out as text,
 * element by element. The parameter's type must be cast to. An int8 is given as a safe integer.
 */
export function binaryArray(type: keyof typeof ELEMENT, values: readonly number[]): Buffer {
  const { oid, bytes } = ELEMENT[type];
  if (values.length === 0) return header(0, oid, 0);
  const encoded = Buffer.allocUnsafe(values.length * (4 + bytes));
  let at = 0;
  for (const value of values) {
    at = encoded.writeInt32BE(bytes, at);
    if (bytes === 8) at = encoded.writeInt32BE(Math.floor(value / 2 ** 32), at);
    at = bytes === 2 ? encoded.writeInt16BE(value, at) : encoded.writeInt32BE(value | 0, at);
  }
  return Buffer.concat([header(1, oid, values.length), encoded]);
}

/** Dimensions (none or one), no nulls, element type; then the length and the lower bound, 1. */
function header(dimensions: number, oid: number, length: number): Buffer {
  const words = dimensions === 0 ? [0, 0, oid] : [1, 0, oid, length, 1];
  const bytes = Buffer.allocUnsafe(4 * words.length);
  for (const [i, word] of words.entries()) bytes.writeInt32BE(word, 4 * i);
  return bytes;
}
