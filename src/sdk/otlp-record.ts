import type { AnyValue } from '@opentelemetry/api';
import { BackwardWriter } from './backward-writer.ts';
import type { SpanRef } from './trace-context.ts';

/** What one OTLP log record holds (opentelemetry-proto v1, LogRecord). Times: decimal nanoseconds since the Unix epoch. */
export interface LogContent {
  readonly eventName: string;
  readonly time: string;
  readonly span: SpanRef & { readonly traceFlags: number };
  readonly attributes: readonly Readonly<Record<string, AnyValue>>[];
  /** Further attributes that are encoded already. */
  readonly encoded: Uint8Array;
  readonly ending?: LogEnding;
}

/** What is known of a record only at its end: further fields of the same message, to be put behind the first part. */
export interface LogEnding {
  readonly observedTime: string;
  readonly attributes: Readonly<Record<string, AnyValue>>;
}

const INFO = 9;
const LENGTH_DELIMITED = 2;
const tagOf = (field: number, wireType: number): number => field * 8 + wireType;
const writer = new BackwardWriter();

/**
 * A log record as protobuf, written by hand because it is written while the host's request waits: the stock serialiser
 * works on a list of records of the log SDK. Fields of a message may stand in any order and in several parts, which are
 * joined by writing them one behind the other (protobuf encoding, "last one wins" and repeated fields).
 */
export function encodeRecord({ eventName, time, span, attributes, encoded, ending }: LogContent): Uint8Array {
  writer.reset();
  if (ending !== undefined) writeEnding(ending);
  writer.raw(encoded);
  writeText(12, eventName);
  writeHex(10, span.spanId);
  writeHex(9, span.traceId);
  writer.fixed32(span.traceFlags);
  writer.byte(tagOf(8, 5));
  for (const some of attributes) writeAttributes(6, some);
  writer.byte(INFO);
  writer.byte(tagOf(2, 0));
  writer.fixed64(BigInt(time));
  writer.byte(tagOf(1, 1));
  return writer.take();
}

export function encodeEnding(ending: LogEnding): Uint8Array {
  writer.reset();
  writeEnding(ending);
  return writer.take();
}

function writeEnding({ observedTime, attributes }: LogEnding): void {
  writer.fixed64(BigInt(observedTime));
  writer.byte(tagOf(11, 1));
  writeAttributes(6, attributes);
}

/** Attributes of a log record, to be given to `encodeRecord` again and again. */
export function encodeAttributes(attributes: Readonly<Record<string, AnyValue>>): Uint8Array {
  writer.reset();
  writeAttributes(6, attributes);
  return writer.take();
}

/** A Resource message. */
export function encodeResource(attributes: Readonly<Record<string, AnyValue>>): Uint8Array {
  writer.reset();
  writeAttributes(1, attributes);
  return writer.take();
}

/** An ExportLogsServiceRequest that holds `records` of one resource, each a LogRecord in one or more parts. */
export function encodeRequest(
  resource: Uint8Array,
  records: readonly (readonly Uint8Array[])[],
): Uint8Array<ArrayBuffer> {
  let inner = sizeWithHead(SCOPE.length);
  for (const record of records) inner += sizeWithHead(sizeOf(record));
  const outer = sizeWithHead(resource.length) + sizeWithHead(inner);
  const bytes = new Uint8Array(sizeWithHead(outer));
  let at = putHead(bytes, 0, 1, outer);
  at = putMessage(bytes, at, 1, [resource]);
  at = putHead(bytes, at, 2, inner);
  at = putMessage(bytes, at, 1, [SCOPE]);
  for (const record of records) at = putMessage(bytes, at, 2, record);
  return bytes;
}

/** A field number below 16 is one byte with its wire type. */
function sizeWithHead(length: number): number {
  let size = 2;
  for (let rest = length; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size + length;
}

function putHead(bytes: Uint8Array, at: number, field: number, length: number): number {
  let next = at;
  bytes[next++] = tagOf(field, LENGTH_DELIMITED);
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[next++] = (rest % 128) | 0x80;
  bytes[next++] = rest;
  return next;
}

function putMessage(bytes: Uint8Array, at: number, field: number, parts: readonly Uint8Array[]): number {
  let next = putHead(bytes, at, field, sizeOf(parts));
  for (const part of parts) {
    bytes.set(part, next);
    next += part.length;
  }
  return next;
}

/** InstrumentationScope { name = 1 }. */
const SCOPE = ((): Uint8Array => {
  writer.reset();
  writeText(1, '@behalf/sdk');
  return writer.take();
})();

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((size, part) => size + part.length, 0);

/** A member that is undefined is not written. */
function writeAttributes(field: number, attributes: Readonly<Record<string, AnyValue>>): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined && value !== null) writeKeyValue(field, key, value);
  }
}

function writeKeyValue(field: number, key: string, value: AnyValue): void {
  const end = writer.mark;
  writeAnyValue(2, value);
  writeText(1, key);
  close(field, end);
}

function writeAnyValue(field: number, value: AnyValue): void {
  const end = writer.mark;
  if (typeof value === 'string') writeText(1, value);
  else if (typeof value === 'number') {
    writer.varint(value);
    writer.byte(tagOf(3, 0));
  } else if (typeof value === 'boolean') {
    writer.byte(value ? 1 : 0);
    writer.byte(tagOf(2, 0));
  } else if (Array.isArray(value)) {
    const list = writer.mark;
    for (let index = value.length - 1; index >= 0; index -= 1) writeAnyValue(1, value[index]);
    close(5, list);
  } else if (typeof value === 'object' && value !== null) {
    const map = writer.mark;
    writeAttributes(1, value as Readonly<Record<string, AnyValue>>);
    close(6, map);
  }
  close(field, end);
}

function writeText(field: number, text: string): void {
  const end = writer.mark;
  writer.text(text);
  close(field, end);
}

function writeHex(field: number, text: string): void {
  const end = writer.mark;
  writer.hex(text);
  close(field, end);
}

/** Puts tag and length before what was written since `end`. */
function close(field: number, end: number): void {
  writer.varint(writer.mark - end);
  writer.byte(tagOf(field, LENGTH_DELIMITED));
}
