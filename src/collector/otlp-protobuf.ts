import type { AnyValue, DecodeLimits, Group, Link, LogRecord, Span } from './otlp.ts';
import { MAX_DEPTH } from './otlp.ts';
import { ProtobufReader, WIRE } from './protobuf-reader.ts';
import { badRequest, tooLarge } from './request-error.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Filled<T> = Mutable<Omit<T, 'attributes'>> & { attributes: Map<string, AnyValue> };
type SpanInto = Omit<Filled<Span>, 'links'> & { links: Mutable<Link>[] };
type LogRecordInto = Filled<LogRecord>;

/** One field of a message: its wire type, and what reading it does to the message being filled. */
type Field<T> = readonly [wire: number, read: (decoder: Decoder, into: T) => void];
/** A message's fields by number. Fields not listed, or of another wire type, are skipped as unknown. */
type Message<T> = Readonly<Record<number, Field<T>>>;

/** Decodes an ExportTraceServiceRequest (opentelemetry-proto v1.11.0). Throws RequestError. */
export const decodeTraces = (body: Uint8Array, limits: DecodeLimits): readonly Group<Span>[] =>
  decodeExport(body, limits, { table: SPAN, empty: emptySpan });

/** Decodes an ExportLogsServiceRequest. Throws RequestError. */
export const decodeLogs = (body: Uint8Array, limits: DecodeLimits): readonly Group<LogRecord>[] =>
  decodeExport(body, limits, { table: LOG_RECORD, empty: emptyLogRecord });

interface RecordTable<T> {
  readonly table: Message<T>;
  readonly empty: () => T;
}
interface AttributesInto {
  attributes: Map<string, AnyValue>;
  duplicateKeys?: readonly string[];
}
interface ScopeGroup<T> {
  scope: { name: string; version: string };
  records: T[];
}
interface ResourceGroup<T> {
  resource: { attributes: Map<string, AnyValue>; droppedAttributesCount: number };
  scopes: ScopeGroup<T>[];
}

/** A scalar's wire type and how it is read. */
type Scalar<V> = readonly [wire: number, read: (reader: ProtobufReader) => V];
const text: Scalar<string> = [WIRE.bytes, (reader) => reader.string()];
const id: Scalar<string> = [WIRE.bytes, (reader) => reader.hex()];
const int32: Scalar<number> = [WIRE.varint, (reader) => reader.int32()];
const uint32: Scalar<number> = [WIRE.varint, (reader) => reader.uint32()];
const fixed32: Scalar<number> = [WIRE.fixed32, (reader) => reader.fixed32()];
const fixed64: Scalar<bigint> = [WIRE.fixed64, (reader) => reader.fixed64()];

const set = <K extends string, V>(property: K, [wire, read]: Scalar<V>): Field<Record<K, V>> => [
  wire,
  (decoder, into) => {
    into[property] = read(decoder.reader);
  },
];
const add = <T, K extends string>(list: K, table: Message<T>, empty: () => T): Field<Readonly<Record<K, T[]>>> => [
  WIRE.bytes,
  (decoder, into) => {
    into[list].push(decoder.message(table, empty()));
  },
];
const merge = <T, K extends string>(property: K, table: Message<T>): Field<Readonly<Record<K, T>>> => [
  WIRE.bytes,
  (decoder, into) => {
    decoder.message(table, into[property]);
  },
];
const attributes: Field<AttributesInto> = [WIRE.bytes, (decoder, into) => decoder.attribute(into)];

const RESOURCE: Message<ResourceGroup<unknown>['resource']> = {
  1: attributes,
  2: set('droppedAttributesCount', uint32),
};
const SCOPE: Message<ScopeGroup<unknown>['scope']> = { 1: set('name', text), 2: set('version', text) };
const LINK: Message<Mutable<Link>> = { 1: set('traceId', id), 2: set('spanId', id) };
const STATUS: Message<{ statusCode: number }> = { 3: set('statusCode', int32) };
const SPAN: Message<SpanInto> = {
  1: set('traceId', id),
  2: set('spanId', id),
  4: set('parentSpanId', id),
  5: set('name', text),
  6: set('kind', int32),
  7: set('startTimeUnixNano', fixed64),
  8: set('endTimeUnixNano', fixed64),
  9: attributes,
  10: set('droppedAttributesCount', uint32),
  13: add('links', LINK, () => ({ traceId: '', spanId: '' })),
  14: set('droppedLinksCount', uint32),
  15: [WIRE.bytes, (decoder, into) => void decoder.message(STATUS, into)],
  16: set('flags', fixed32),
};
const LOG_RECORD: Message<LogRecordInto> = {
  1: set('timeUnixNano', fixed64),
  6: attributes,
  7: set('droppedAttributesCount', uint32),
  8: set('flags', fixed32),
  9: set('traceId', id),
  10: set('spanId', id),
  11: set('observedTimeUnixNano', fixed64),
  12: set('eventName', text),
};
const LIST: Message<AnyValue[]> = { 1: [WIRE.bytes, (decoder, into) => void into.push(decoder.anyValue())] };
const MAP: Message<AttributesInto> = { 1: [WIRE.bytes, (decoder, into) => decoder.attribute(into, () => true)] };
/** AnyValue is a oneof: the last member on the wire stands. */
const ANY_VALUE: Message<{ value: AnyValue }> = {
  1: set<'value', AnyValue>('value', text),
  2: set<'value', AnyValue>('value', [WIRE.varint, (reader) => reader.bool()]),
  3: set<'value', AnyValue>('value', [WIRE.varint, (reader) => reader.int64()]),
  4: set<'value', AnyValue>('value', [WIRE.fixed64, (reader) => reader.double()]),
  5: [
    WIRE.bytes,
    (decoder, into) => {
      into.value = decoder.message(LIST, []);
    },
  ],
  6: [
    WIRE.bytes,
    (decoder, into) => {
      into.value = decoder.message(MAP, { attributes: new Map() }).attributes;
    },
  ],
  7: set<'value', AnyValue>('value', [WIRE.bytes, (reader) => reader.bytes()]),
};

const emptySpan = (): SpanInto => ({
  traceId: '',
  spanId: '',
  parentSpanId: '',
  name: '',
  kind: 0,
  flags: 0,
  startTimeUnixNano: 0n,
  endTimeUnixNano: 0n,
  attributes: new Map(),
  duplicateKeys: [],
  droppedAttributesCount: 0,
  droppedLinksCount: 0,
  links: [],
  statusCode: 0,
});
const emptyLogRecord = (): LogRecordInto => ({
  traceId: '',
  spanId: '',
  flags: 0,
  eventName: '',
  timeUnixNano: 0n,
  observedTimeUnixNano: 0n,
  attributes: new Map(),
  duplicateKeys: [],
  droppedAttributesCount: 0,
});

function decodeExport<T>(body: Uint8Array, limits: DecodeLimits, record: RecordTable<T>): Group<T>[] {
  const scopes: Message<ScopeGroup<T>> = { 1: merge('scope', SCOPE), 2: add('records', record.table, record.empty) };
  const resources: Message<ResourceGroup<T>> = {
    1: merge('resource', RESOURCE),
    2: add('scopes', scopes, (): ScopeGroup<T> => ({ scope: { name: '', version: '' }, records: [] })),
  };
  const request: Message<{ readonly groups: ResourceGroup<T>[] }> = {
    1: add(
      'groups',
      resources,
      (): ResourceGroup<T> => ({
        resource: { attributes: new Map(), droppedAttributesCount: 0 },
        scopes: [],
      }),
    ),
  };
  const into: { readonly groups: ResourceGroup<T>[] } = { groups: [] };
  const { groups } = new Decoder(new ProtobufReader(body), limits).fields(request, into);
  return groups.flatMap(({ resource, scopes }) => scopes.map(({ scope, records }) => ({ resource, scope, records })));
}

/** Fills messages by their tables and keeps count of what they unfold to. */
class Decoder {
  readonly reader: ProtobufReader;
  readonly #limits: DecodeLimits;
  #parts = 0;
  #depth = 0;

  constructor(reader: ProtobufReader, limits: DecodeLimits) {
    this.reader = reader;
    this.#limits = limits;
  }

  message<T>(table: Message<T>, into: T): T {
    return this.reader.within(() => this.#enter(table, into));
  }

  fields<T>(table: Message<T>, into: T): T {
    while (!this.reader.atEnd) {
      const { field, wire } = this.reader.tag();
      const known = table[field];
      if (known === undefined || known[0] !== wire) this.reader.skip(field, wire);
      else known[1](this, into);
    }
    return into;
  }

  anyValue(): AnyValue {
    return this.message(ANY_VALUE, { value: null }).value;
  }

  /** A KeyValue. Its value is unfolded only when somebody reads that key: the rest costs no memory and is never seen. */
  attribute(into: AttributesInto, isRead = this.#limits.isRead): void {
    let key = '';
    let place: { readonly from: number; readonly to: number } | undefined;
    this.reader.within(() => {
      while (!this.reader.atEnd) {
        const { field, wire } = this.reader.tag();
        if (field === 1 && wire === WIRE.bytes) key = this.reader.string();
        else if (field === 2 && wire === WIRE.bytes) place = this.reader.skipTo();
        else this.reader.skip(field, wire);
      }
    });
    if (!isRead(key)) return;
    if (into.attributes.has(key)) {
      if (into.duplicateKeys?.includes(key) === false) into.duplicateKeys = [...into.duplicateKeys, key];
      return;
    }
    const value = { value: null };
    into.attributes.set(
      key,
      place === undefined ? null : this.reader.revisit(place, () => this.#enter(ANY_VALUE, value)).value,
    );
  }

  #enter<T>(table: Message<T>, into: T): T {
    this.#parts += 1;
    if (this.#parts > this.#limits.maxParts) {
      throw tooLarge(
        `more than ${this.#limits.maxParts} spans, records, attributes and links in one request; send less at once`,
      );
    }
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw badRequest(`protobuf: messages nested more than ${MAX_DEPTH} deep`);
    this.fields(table, into);
    this.#depth -= 1;
    return into;
  }
}
