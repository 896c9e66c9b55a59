import type { AnyValue, DecodeLimits, Group, Link, LogRecord, Span } from './otlp.ts';
import { Decoder, type Message, message, tagOf } from './protobuf-decoder.ts';
import { ProtobufReader, WIRE } from './protobuf-reader.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Filled<T> = Mutable<Omit<T, 'attributes'>> & { attributes: Map<string, AnyValue> };
type SpanInto = Omit<Filled<Span>, 'links'> & { links: Mutable<Link>[] };
type LogRecordInto = Filled<LogRecord>;

/** Decodes an ExportTraceServiceRequest (opentelemetry-proto v1.11.0). Throws RequestError. */
export const decodeTraces = (body: Uint8Array, limits: DecodeLimits): readonly Group<Span>[] =>
  decodeExport(body, limits, TRACES);

/** Decodes an ExportLogsServiceRequest. Throws RequestError. */
export const decodeLogs = (body: Uint8Array, limits: DecodeLimits): readonly Group<LogRecord>[] =>
  decodeExport(body, limits, LOGS);

interface ScopeGroup<T> {
  scope: { name: string; version: string };
  records: T[];
}
interface ResourceGroup<T> {
  resource: { attributes: Map<string, AnyValue>; droppedAttributesCount: number };
  scopes: ScopeGroup<T>[];
}

const { bytes, varint, fixed32, fixed64 } = WIRE;

const RESOURCE = message<ResourceGroup<unknown>['resource']>({
  [tagOf(1, bytes)](decoder, into) {
    decoder.attribute(into, decoder.keys);
  },
  [tagOf(2, varint)]({ reader }, into) {
    into.droppedAttributesCount = reader.uint32();
  },
});
const SCOPE = message<ScopeGroup<unknown>['scope']>({
  [tagOf(1, bytes)]({ reader }, into) {
    into.name = reader.string();
  },
  [tagOf(2, bytes)]({ reader }, into) {
    into.version = reader.string();
  },
});
const LINK = message<Mutable<Link>>({
  [tagOf(1, bytes)]({ reader }, into) {
    into.traceId = reader.hex();
  },
  [tagOf(2, bytes)]({ reader }, into) {
    into.spanId = reader.hex();
  },
});
const STATUS = message<SpanInto>({
  [tagOf(3, varint)]({ reader }, into) {
    into.statusCode = reader.int32();
  },
});
const SPAN = message<SpanInto>({
  [tagOf(1, bytes)]({ reader }, into) {
    into.traceId = reader.hex();
  },
  [tagOf(2, bytes)]({ reader }, into) {
    into.spanId = reader.hex();
  },
  [tagOf(4, bytes)]({ reader }, into) {
    into.parentSpanId = reader.hex();
  },
  [tagOf(5, bytes)]({ reader }, into) {
    into.name = reader.string();
  },
  [tagOf(6, varint)]({ reader }, into) {
    into.kind = reader.int32();
  },
  [tagOf(7, fixed64)]({ reader }, into) {
    into.startTimeUnixNano = reader.fixed64();
  },
  [tagOf(8, fixed64)]({ reader }, into) {
    into.endTimeUnixNano = reader.fixed64();
  },
  [tagOf(9, bytes)](decoder, into) {
    decoder.attribute(into, decoder.keys);
  },
  [tagOf(10, varint)]({ reader }, into) {
    into.droppedAttributesCount = reader.uint32();
  },
  [tagOf(13, bytes)](decoder, into) {
    into.links.push(decoder.message(LINK, { traceId: '', spanId: '' }));
  },
  [tagOf(14, varint)]({ reader }, into) {
    into.droppedLinksCount = reader.uint32();
  },
  [tagOf(15, bytes)](decoder, into) {
    decoder.message(STATUS, into);
  },
  [tagOf(16, fixed32)]({ reader }, into) {
    into.flags = reader.fixed32();
  },
});
const LOG_RECORD = message<LogRecordInto>({
  [tagOf(1, fixed64)]({ reader }, into) {
    into.timeUnixNano = reader.fixed64();
  },
  [tagOf(6, bytes)](decoder, into) {
    decoder.attribute(into, decoder.keys);
  },
  [tagOf(7, varint)]({ reader }, into) {
    into.droppedAttributesCount = reader.uint32();
  },
  [tagOf(8, fixed32)]({ reader }, into) {
    into.flags = reader.fixed32();
  },
  [tagOf(9, bytes)]({ reader }, into) {
    into.traceId = reader.hex();
  },
  [tagOf(10, bytes)]({ reader }, into) {
    into.spanId = reader.hex();
  },
  [tagOf(11, fixed64)]({ reader }, into) {
    into.observedTimeUnixNano = reader.fixed64();
  },
  [tagOf(12, bytes)]({ reader }, into) {
    into.eventName = reader.string();
  },
});
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

/** The two signals' requests have one form. */
function exportOf<T>(record: Message<T>, empty: () => T): Message<ResourceGroup<T>[]> {
  const scopes = message<ScopeGroup<T>>({
    [tagOf(1, bytes)](decoder, into) {
      decoder.message(SCOPE, into.scope);
    },
    [tagOf(2, bytes)](decoder, into) {
      into.records.push(decoder.message(record, empty()));
    },
  });
  const resources = message<ResourceGroup<T>>({
    [tagOf(1, bytes)](decoder, into) {
      decoder.message(RESOURCE, into.resource);
    },
    [tagOf(2, bytes)](decoder, into) {
      into.scopes.push(decoder.message(scopes, emptyScope()));
    },
  });
  return message({
    [tagOf(1, bytes)](decoder, into) {
      into.push(decoder.message(resources, emptyResource()));
    },
  });
}

const emptyScope = <T>(): ScopeGroup<T> => ({ scope: { name: '', version: '' }, records: [] });
const emptyResource = <T>(): ResourceGroup<T> => ({
  resource: { attributes: new Map(), droppedAttributesCount: 0 },
  scopes: [],
});
const TRACES = exportOf(SPAN, emptySpan);
const LOGS = exportOf(LOG_RECORD, emptyLogRecord);

function decodeExport<T>(body: Uint8Array, limits: DecodeLimits, request: Message<ResourceGroup<T>[]>): Group<T>[] {
  const groups = new Decoder(new ProtobufReader(body), limits).fields<ResourceGroup<T>[]>(request, []);
  return groups.flatMap(({ resource, scopes }) => scopes.map(({ scope, records }) => ({ resource, scope, records })));
}
