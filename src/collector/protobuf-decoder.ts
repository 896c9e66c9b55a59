import type { KnownKeys } from './known-keys.ts';
import { type AnyValue, type DecodeLimits, MAX_DEPTH } from './otlp.ts';
import { type ProtobufReader, WIRE } from './protobuf-reader.ts';
import { badRequest, tooLarge } from './request-error.ts';

/** What reading one field does to the message being filled. */
type Read<T> = (decoder: Decoder, into: T) => void;

/** A message's fields by their tags. Fields not listed, or of another wire type, are skipped as unknown. */
export type Message<T> = readonly (Read<T> | undefined)[];

/**
 * Makes a table of a message's fields. Each field is written out: one function for all of them, told the property's name,
 * was measured at twice the time; and so was an object as table instead of an array without holes.
 */
export const message = <T>(reads: Readonly<Record<number, Read<T>>>): Message<T> =>
  Array.from({ length: 1 + Math.max(...Object.keys(reads).map(Number)) }, (_, tag) => reads[tag]);

/** A message that has attributes, while it is filled. */
export interface AttributesInto {
  attributes: Map<string, AnyValue>;
  duplicateKeys?: readonly string[];
}

/** A field's number and wire type as they stand before it. */
export const tagOf = (field: number, wire: number): number => (field << 3) | wire;

/** Tags of a KeyValue's fields. */
const KEY = tagOf(1, WIRE.bytes);
const VALUE = tagOf(2, WIRE.bytes);

/** Fills messages by their tables and keeps count of what they unfold to. */
export class Decoder {
  readonly reader: ProtobufReader;
  readonly #limits: DecodeLimits;
  #parts = 0;
  #depth = 0;

  constructor(reader: ProtobufReader, limits: DecodeLimits) {
    this.reader = reader;
    this.#limits = limits;
  }

  get keys(): KnownKeys | undefined {
    return this.#limits.keys;
  }

  message<T>(table: Message<T>, into: T): T {
    const outer = this.reader.enter();
    this.#count();
    this.fields(table, into);
    this.#depth -= 1;
    this.reader.leave(outer);
    return into;
  }

  fields<T>(table: Message<T>, into: T): T {
    while (!this.reader.atEnd) {
      const tag = this.reader.tag();
      const read = tag < table.length ? table[tag] : undefined;
      if (read === undefined) this.reader.skip(tag);
      else read(this, into);
    }
    return into;
  }

  anyValue(): AnyValue {
    return this.message(ANY_VALUE, { value: null }).value;
  }

  /** A KeyValue. Its value is unfolded only when somebody reads that key: the rest costs no memory and is never seen. */
  attribute(into: AttributesInto, keys: KnownKeys | undefined): void {
    const { reader } = this;
    const outer = reader.enter();
    let key: string | undefined = keys?.has('') === false ? undefined : '';
    let place = -1;
    while (!reader.atEnd) {
      const tag = reader.tag();
      if (tag === KEY) key = keys === undefined ? reader.string() : reader.keyAmong(keys);
      else if (tag === VALUE) {
        place = reader.at;
        reader.skip(tag);
      } else reader.skip(tag);
    }
    if (key !== undefined) this.#keep(into, key, place);
    reader.leave(outer);
  }

  /** The first of duplicate keys stands. The value lies at `place` in the message that is being read; -1: there is none. */
  #keep(into: AttributesInto, key: string, place: number): void {
    if (into.attributes.has(key)) {
      if (into.duplicateKeys?.includes(key) === false) into.duplicateKeys = [...into.duplicateKeys, key];
    } else if (place < 0) into.attributes.set(key, null);
    else {
      const after = this.reader.goTo(place);
      into.attributes.set(key, this.anyValue());
      this.reader.goTo(after);
    }
  }

  #count(): void {
    this.#parts += 1;
    if (this.#parts > this.#limits.maxParts) {
      throw tooLarge(
        `more than ${this.#limits.maxParts} spans, records, attributes and links in one request; send less at once`,
      );
    }
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw badRequest(`protobuf: messages nested more than ${MAX_DEPTH} deep`);
  }
}

const { bytes, varint, fixed64 } = WIRE;

const LIST = message<AnyValue[]>({
  [tagOf(1, bytes)](decoder, into) {
    into.push(decoder.anyValue());
  },
});
const MAP = message<AttributesInto>({
  [tagOf(1, bytes)](decoder, into) {
    decoder.attribute(into, undefined);
  },
});
/** AnyValue is a oneof: the last member on the wire stands. */
const ANY_VALUE = message<{ value: AnyValue }>({
  [tagOf(1, bytes)]({ reader }, into) {
    into.value = reader.string();
  },
  [tagOf(2, varint)]({ reader }, into) {
    into.value = reader.bool();
  },
  [tagOf(3, varint)]({ reader }, into) {
    into.value = reader.int64();
  },
  [tagOf(4, fixed64)]({ reader }, into) {
    into.value = reader.double();
  },
  [tagOf(5, bytes)](decoder, into) {
    into.value = decoder.message(LIST, []);
  },
  [tagOf(6, bytes)](decoder, into) {
    into.value = decoder.message(MAP, { attributes: new Map() }).attributes;
  },
  [tagOf(7, bytes)]({ reader }, into) {
    into.value = reader.bytes();
  },
});
