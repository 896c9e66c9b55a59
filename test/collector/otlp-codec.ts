import protobuf from 'protobufjs';

/**
 * A generated codec for the part of opentelemetry-proto v1.11.0 that the collector reads, from the field numbers of its
 * .proto files. It exists only in tests: the collector's own decoder is checked against it.
 */
const field = (type: string, id: number) => ({ type, id });
const many = (type: string, id: number) => ({ type, id, rule: 'repeated' });

const root = protobuf.Root.fromJSON({
  nested: {
    AnyValue: {
      oneofs: {
        value: {
          oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
        },
      },
      fields: {
        stringValue: field('string', 1),
        boolValue: field('bool', 2),
        intValue: field('int64', 3),
        doubleValue: field('double', 4),
        arrayValue: field('ArrayValue', 5),
        kvlistValue: field('KeyValueList', 6),
        bytesValue: field('bytes', 7),
      },
    },
    ArrayValue: { fields: { values: many('AnyValue', 1) } },
    KeyValueList: { fields: { values: many('KeyValue', 1) } },
    KeyValue: { fields: { key: field('string', 1), value: field('AnyValue', 2) } },
    Resource: { fields: { attributes: many('KeyValue', 1), droppedAttributesCount: field('uint32', 2) } },
    InstrumentationScope: {
      fields: {
        name: field('string', 1),
        version: field('string', 2),
        attributes: many('KeyValue', 3),
        droppedAttributesCount: field('uint32', 4),
      },
    },
    Status: { fields: { message: field('string', 2), code: field('int32', 3) } },
    Event: {
      fields: { timeUnixNano: field('fixed64', 1), name: field('string', 2), attributes: many('KeyValue', 3) },
    },
    Link: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        traceState: field('string', 3),
        attributes: many('KeyValue', 4),
        flags: field('fixed32', 6),
      },
    },
    Span: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        traceState: field('string', 3),
        parentSpanId: field('bytes', 4),
        name: field('string', 5),
        kind: field('int32', 6),
        startTimeUnixNano: field('fixed64', 7),
        endTimeUnixNano: field('fixed64', 8),
        attributes: many('KeyValue', 9),
        droppedAttributesCount: field('uint32', 10),
        events: many('Event', 11),
        droppedEventsCount: field('uint32', 12),
        links: many('Link', 13),
        droppedLinksCount: field('uint32', 14),
        status: field('Status', 15),
        flags: field('fixed32', 16),
      },
    },
    ScopeSpans: {
      fields: { scope: field('InstrumentationScope', 1), spans: many('Span', 2), schemaUrl: field('string', 3) },
    },
    ResourceSpans: {
      fields: { resource: field('Resource', 1), scopeSpans: many('ScopeSpans', 2), schemaUrl: field('string', 3) },
    },
    ExportTraceServiceRequest: { fields: { resourceSpans: many('ResourceSpans', 1) } },
    LogRecord: {
      fields: {
        timeUnixNano: field('fixed64', 1),
        severityNumber: field('int32', 2),
        severityText: field('string', 3),
        body: field('AnyValue', 5),
        attributes: many('KeyValue', 6),
        droppedAttributesCount: field('uint32', 7),
        flags: field('fixed32', 8),
        traceId: field('bytes', 9),
        spanId: field('bytes', 10),
        observedTimeUnixNano: field('fixed64', 11),
        eventName: field('string', 12),
      },
    },
    ScopeLogs: {
      fields: {
        scope: field('InstrumentationScope', 1),
        logRecords: many('LogRecord', 2),
        schemaUrl: field('string', 3),
      },
    },
    ResourceLogs: {
      fields: { resource: field('Resource', 1), scopeLogs: many('ScopeLogs', 2), schemaUrl: field('string', 3) },
    },
    ExportLogsServiceRequest: { fields: { resourceLogs: many('ResourceLogs', 1) } },
    PartialSuccess: { fields: { rejected: field('int64', 1), errorMessage: field('string', 2) } },
    ExportServiceResponse: { fields: { partialSuccess: field('PartialSuccess', 1) } },
    Any: { fields: { typeUrl: field('string', 1), value: field('bytes', 2) } },
    RpcStatus: { fields: { code: field('int32', 1), message: field('string', 2), details: many('Any', 3) } },
    FieldViolation: { fields: { field: field('string', 1), description: field('string', 2) } },
    BadRequest: { fields: { fieldViolations: many('FieldViolation', 1) } },
  },
});

export type Plain = { readonly [key: string]: unknown };

/** Encodes a plain object as the named message. */
export function encodeMessage(name: string, message: Plain): Uint8Array {
  const type = root.lookupType(name);
  return Uint8Array.from(type.encode(type.fromObject(message)).finish());
}

/** Decodes a message with 64-bit integers as strings. Throws on malformed bytes. */
export function decodeMessage(name: string, bytes: Uint8Array): Plain {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: String });
}
