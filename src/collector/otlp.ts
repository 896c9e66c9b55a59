import type { KnownKeys } from './known-keys.ts';

/**
 * An attribute value as OTLP's AnyValue carries it: int as bigint, double as number, empty as null, kvlist as a map.
 */
export type AnyValue = string | boolean | bigint | number | null | Uint8Array | readonly AnyValue[] | Attributes;

/** Attributes by key. The first of duplicate keys stands; OTLP forbids duplicates and does not say which one wins. */
export type Attributes = ReadonlyMap<string, AnyValue>;

export interface Resource {
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

export interface Scope {
  readonly name: string;
  readonly version: string;
}

/** Ids are lower-case hex of whatever length came, '' when none came: the mapper judges them. */
export interface Link {
  readonly traceId: string;
  readonly spanId: string;
}

/** A span as the collector reads it (opentelemetry.proto.trace.v1.Span). Events and trace state are not read. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly flags: number;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: Attributes;
  readonly duplicateKeys: readonly string[];
  readonly droppedAttributesCount: number;
  readonly droppedLinksCount: number;
  readonly links: readonly Link[];
  readonly statusCode: number;
}

/** A log record as the collector reads it (opentelemetry.proto.logs.v1.LogRecord). The body is never read. */
export interface LogRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly eventName: string;
  readonly timeUnixNano: bigint;
  readonly observedTimeUnixNano: bigint;
  readonly attributes: Attributes;
  readonly duplicateKeys: readonly string[];
  readonly droppedAttributesCount: number;
}

/** What one resource and scope sent together. */
export interface Group<T> {
  readonly resource: Resource;
  readonly scope: Scope;
  readonly records: readonly T[];
}

/** SpanKind of the protocol; 0 (unspecified) is to be read as INTERNAL. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export const STATUS_OK = 1;
export const STATUS_ERROR = 2;

/** Deepest nesting of messages taken, as protobuf implementations commonly limit it. */
export const MAX_DEPTH = 100;

/**
 * Bounds what a request may unfold to in memory: an empty protobuf message is two bytes on the wire and a hundred in
 * the heap. Only attributes that somebody reads are unfolded, and counted.
 */
export interface DecodeLimits {
  readonly maxParts: number;
  /** The attributes that are read; all of them unless told. */
  readonly keys?: KnownKeys;
}
