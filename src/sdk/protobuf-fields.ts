/** A field of a protobuf message: a varint or a fixed number, or what is length-delimited. */
export interface Field {
  readonly field: number;
  readonly value: bigint | Uint8Array;
}

/** The fields of a message in order. Throws RangeError on what is no message. */
export function* fieldsOf(bytes: Uint8Array): Iterable<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('not a protobuf message: a number does not end');
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, wireType] = [Number(tag >> 3n), Number(tag & 7n)];
    if (wireType === 0) yield { field, value: varint() };
    else if (wireType === 1 || wireType === 5) {
      const size = wireType === 1 ? 8 : 4;
      if (at + size > bytes.length) throw new RangeError('not a protobuf message: it is cut off');
      yield { field, value: size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)) };
      at += size;
    } else if (wireType === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new RangeError('not a protobuf message: it is cut off');
      yield { field, value: bytes.subarray(at, at + length) };
      at += length;
    } else throw new RangeError(`not a protobuf message: wire type ${wireType}`);
  }
}
