import type { KnownKeys } from './known-keys.ts';
import { badRequest } from './request-error.ts';

/** Wire types of the protocol buffers encoding. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, group: 3, endGroup: 4, fixed32: 5 } as const;

/** A text met before in the same bytes, and where. */
interface Met {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Longest text that is looked for among those met before, and how many of them are kept at hand: a power of two. */
const MET_LENGTH = 64;
const metAtHand = (bytes: number): number => (bytes < 8_192 ? 64 : 1_024);

/**
 * Reads the protocol buffers wire format from hostile bytes. Every method throws RequestError (400) where the bytes end
 * early or break the encoding, and never reads beyond the end of the message it is in. Telemetry repeats itself: short
 * texts that stand in the bytes again are made once.
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #met: (Met | undefined)[];
  readonly #metHex: (Met | undefined)[];
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#met = new Array<Met | undefined>(metAtHand(bytes.byteLength));
    this.#metHex = new Array<Met | undefined>(metAtHand(bytes.byteLength));
    this.#at = 0;
    this.#end = bytes.byteLength;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Where the next field begins, to come back to. */
  get at(): number {
    return this.#at;
  }

  /** A field's number, shifted left by three, and its wire type. */
  tag(): number {
    const tag = this.#uint32('tag');
    if (tag < 8) throw this.#broken('field number 0');
    return tag;
  }

  string(): string {
    const length = this.#uint32('length');
    const from = this.#advance(length);
    return length > MET_LENGTH
      ? this.#bytes.toString('utf8', from, from + length)
      : this.#once('utf8', this.#met, from);
  }

  bytes(): Uint8Array {
    const length = this.#uint32('length');
    const from = this.#advance(length);
    return Uint8Array.from(this.#bytes.subarray(from, from + length));
  }

  hex(): string {
    const length = this.#uint32('length');
    const from = this.#advance(length);
    return length > MET_LENGTH
      ? this.#bytes.toString('hex', from, from + length)
      : this.#once('hex', this.#metHex, from);
  }

  /** Which of these keys a text is; no string is made of any other. */
  keyAmong(keys: KnownKeys): string | undefined {
    const length = this.#uint32('length');
    const from = this.#advance(length);
    return keys.find(this.#bytes, from, length);
  }

  /** The text from `from` to where the reader is. */
  #once(encoding: 'utf8' | 'hex', met: (Met | undefined)[], from: number): string {
    const to = this.#at;
    if (from === to) return '';
    const slot = this.#spread(from, to) & (met.length - 1);
    const before = met[slot];
    if (before !== undefined && this.#isSame(before, from, to)) return before.text;
    const text = this.#bytes.toString(encoding, from, to);
    met[slot] = { from, to, text };
    return text;
  }

  /** A number that differs for texts that differ in front or behind. */
  #spread(from: number, to: number): number {
    const bytes = this.#bytes;
    const middle = bytes[(from + to) >>> 1] ?? 0;
    const last = bytes[to - 1] ?? 0;
    const other = bytes[to - 2] ?? 0;
    return (to - from) * 389 + (bytes[from] ?? 0) * 31 + middle * 17 + last * 7 + other * 61;
  }

  #isSame(met: Met, from: number, to: number): boolean {
    if (met.to - met.from !== to - from) return false;
    const bytes = this.#bytes;
    for (let a = met.from, b = from; b < to; a += 1, b += 1) if (bytes[a] !== bytes[b]) return false;
    return true;
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
    const byte = this.#bytes[this.#at] ?? 0x80;
    if (byte < 0x80 && this.#at < this.#end) {
      this.#at += 1;
      return byte;
    }
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

  /** Enters a length-delimited field: what follows is read of it only, until `leave` is given what this returns. */
  enter(): number {
    const outer = this.#end;
    const length = this.#uint32('length');
    this.#at = this.#advance(length);
    this.#end = this.#at + length;
    return outer;
  }

  /** Goes on behind the field that was entered, whether or not all of it was read. */
  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** Goes back to a place of the message it is in, and tells where it was. */
  goTo(place: number): number {
    const at = this.#at;
    this.#at = place;
    return at;
  }

  /** Skips a field nobody reads. Groups are obsolete and may nest: `depth` bounds them. */
  skip(tag: number, depth = 100): void {
    switch (tag & 7) {
      case WIRE.varint:
        this.#varint();
        return;
      case WIRE.fixed64:
        this.#advance(8);
        return;
      case WIRE.bytes:
        this.#advance(this.#uint32('length'));
        return;
      case WIRE.fixed32:
        this.#advance(4);
        return;
      case WIRE.group:
        this.#skipGroup(tag >>> 3, depth);
        return;
      default:
        throw this.#broken(`wire type ${tag & 7}`);
    }
  }

  #skipGroup(field: number, depth: number): void {
    if (depth === 0) throw this.#broken('groups nested too deep');
    for (;;) {
      const inner = this.tag();
      if ((inner & 7) === WIRE.endGroup) {
        if (inner >>> 3 !== field) throw this.#broken('a group that ends another');
        return;
      }
      this.skip(inner, depth - 1);
    }
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
    const first = this.#bytes[this.#at] ?? 0x80;
    if (first < 0x80 && this.#at < this.#end) {
      this.#at += 1;
      return first;
    }
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
