import { badRequest } from './request-error.ts';

/** Wire types of the protocol buffers encoding. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, group: 3, endGroup: 4, fixed32: 5 } as const;

/**
 * Reads the protocol buffers wire format from hostile bytes. Every method throws RequestError (400) where the bytes end
 * early or break the encoding, and never reads beyond the end of the message it is in.
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.byteLength;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Field number and wire type. */
  tag(): { readonly field: number; readonly wire: number } {
    const tag = this.#uint32('tag');
    if (tag >>> 3 === 0) throw this.#broken('field number 0');
    return { field: tag >>> 3, wire: tag & 7 };
  }

  string(): string {
    const [from, to] = this.#span();
    return this.#bytes.toString('utf8', from, to);
  }

  bytes(): Uint8Array {
    const [from, to] = this.#span();
    return Uint8Array.from(this.#bytes.subarray(from, to));
  }

  hex(): string {
    const [from, to] = this.#span();
    return this.#bytes.toString('hex', from, to);
  }

  bool(): boolean {
    return this.#varint() !== 0n;
  }

  /** int64: two's complement in 64 bits. */
  int64(): bigint {
    return BigInt.asIntN(64, this.#varint());
  }

  /** int32 and enums: longer varints are cut to 32 bits, as the encoding prescribes. */
  int32(): number {
    return Number(BigInt.asIntN(32, this.#varint()));
  }

  uint32(): number {
    return Number(BigInt.asUintN(32, this.#varint()));
  }

  fixed32(): number {
    const at = this.#advance(4);
    return this.#bytes.readUInt32LE(at);
  }

  fixed64(): bigint {
    const at = this.#advance(8);
    return this.#bytes.readBigUInt64LE(at);
  }

  double(): number {
    const at = this.#advance(8);
    return this.#bytes.readDoubleLE(at);
  }

  /** Reads a length-delimited field with `read`, which sees that field's bytes only. */
  within<T>(read: () => T): T {
    const [from, to] = this.#span();
    const outer = this.#end;
    const after = this.#at;
    this.#at = from;
    this.#end = to;
    const value = read();
    this.#end = outer;
    this.#at = after;
    return value;
  }

  /** Where a length-delimited field lies, to be read later or never. */
  skipTo(): { readonly from: number; readonly to: number } {
    const [from, to] = this.#span();
    return { from, to };
  }

  /** Reads an earlier field at its place. */
  revisit<T>(place: { readonly from: number; readonly to: number }, read: () => T): T {
    const [at, end] = [this.#at, this.#end];
    this.#at = place.from;
    this.#end = place.to;
    const value = read();
    this.#at = at;
    this.#end = end;
    return value;
  }

  /** Skips a field nobody reads. Groups are obsolete and may nest: `depth` bounds them. */
  skip(field: number, wire: number, depth = 100): void {
    switch (wire) {
      case WIRE.varint:
        this.#varint();
        return;
      case WIRE.fixed64:
        this.#advance(8);
        return;
      case WIRE.bytes:
        this.#span();
        return;
      case WIRE.fixed32:
        this.#advance(4);
        return;
      case WIRE.group:
        this.#skipGroup(field, depth);
        return;
      default:
        throw this.#broken(`wire type ${wire}`);
    }
  }

  #skipGroup(field: number, depth: number): void {
    if (depth === 0) throw this.#broken('groups nested too deep');
    for (;;) {
      const inner = this.tag();
      if (inner.wire === WIRE.endGroup) {
        if (inner.field !== field) throw this.#broken('a group that ends another');
        return;
      }
      this.skip(inner.field, inner.wire, depth - 1);
    }
  }

  #span(): readonly [from: number, to: number] {
    const length = this.#uint32('length');
    const from = this.#advance(length);
    return [from, from + length];
  }

  #advance(length: number): number {
    const from = this.#at;
    if (length > this.#end - from) {
      throw badRequest(
        `protobuf: truncated at byte ${from}: expected ${length} more bytes, ${this.#end - from} are left; send the whole message`,
      );
    }
    this.#at = from + length;
    return from;
  }

  /** Tags and lengths: at most 32 bits. */
  #uint32(what: string): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw this.#broken(`a ${what} beyond 32 bits`);
  }

  #varint(): bigint {
    let low = 0;
    for (let i = 0; i < 4; i += 1) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.#broken('a varint of more than ten bytes');
  }

  #byte(): number {
    return this.#bytes[this.#advance(1)] ?? 0;
  }

  #broken(what: string): Error {
    return badRequest(`protobuf: ${what} before byte ${this.#at}; is this an OTLP message in binary protobuf?`);
  }
}
