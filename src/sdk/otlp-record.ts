import type { AnyValue } from '@opentelemetry/api';
import { BackwardWriter } from './backward-writer.ts';
import type { SpanRef } from './trace-context.ts';

/** What one OTLP log record holds (opentelemetry-proto v1, LogRecord). Times: microseconds since the Unix epoch. */
export interface LogContent {
  readonly eventName: string;
  readonly timeMicros: number;
  readonly span: SpanRef & { readonly traceFlags: number };
  /** Keys and values by turns; a value that is undefined is not written. */
  readonly attributes: readonly (string | number | undefined)[];
  /** Further attributes that are encoded already. */
  readonly encoded: readonly Uint8Array[];
  readonly ending?: LogEnding | undefined;
}

/** What is known of a record only at its end: further fields of the same message, to be put behind the first part. */
export interface LogEnding {
  readonly observedMicros: number;
  /** As in LogContent. */
  readonly attributes: readonly (string | number | undefined)[];
}

const INFO = 9;
const LENGTH_DELIMITED = 2;
const tagOf = (field: number, wireType: number): number => field * 8 + wireType;
const writer = new BackwardWriter();

/**
 * A log record as protobuf, written by hand because it is written while the host's request waits: the stock serialiser
 * works on a list of records of the log SDK. Fields of a message may stand in any order and in several parts, which are
 * joined by writing them one behind the other (protobuf encoding, "last one wins" and repeated fields). What is given back
 * is there until anything else is encoded: whoever keeps it copies it.
 */
export function encodeRecord({ eventName, timeMicros, span, attributes, encoded, ending }: LogContent): Uint8Array {
  writer.reset();
  if (ending !== undefined) writeEnding(ending);
  for (const some of encoded) writer.raw(some);
  writeText(12, eventName);
  writeHex(10, span.spanId);
  writeHex(9, span.traceId);
  writer.fixed32(span.traceFlags);
  writer.byte(tagOf(8, 5));
  writePairs(attributes);
  writer.byte(INFO);
  writer.byte(tagOf(2, 0));
  writer.nanos(timeMicros);
  writer.byte(tagOf(1, 1));
  return writer.view();
}

/** As `encodeRecord`: to be copied by whoever keeps it. */
export function encodeEnding(ending: LogEnding): Uint8Array {
  writer.reset();
  writeEnding(ending);
  return writer.view();
}

function writeEnding({ observedMicros, attributes }: LogEnding): void {
  writer.nanos(observedMicros);
  writer.byte(tagOf(11, 1));
  writePairs(attributes);
}

function writePairs(pairs: readonly (string | number | undefined)[]): void {
  for (let index = 0; index < pairs.length; index += 2) {
    const value = pairs[index + 1];
    if (value !== undefined) writeKeyValue(6, String(pairs[index]), value);
  }
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

/** What stands before the framed `records` in an ExportLogsServiceRequest: `size` bytes of one resource's. */
export function encodeRequestHead(resource: Uint8Array, size: number): Uint8Array {
  const inner = sizeWithHead(SCOPE.length) + size;
  const outer = sizeWithHead(resource.length) + sizeWithHead(inner);
  const bytes = new Uint8Array(sizeWithHead(outer) - size);
  let at = putHead(bytes, 0, 1, outer);
  at = putMessage(bytes, at, 1, [resource]);
  at = putHead(bytes, at, 2, inner);
  putMessage(bytes, at, 1, [SCOPE]);
  return bytes;
}

/** Bytes that `putRecord` writes. */
export const framedSize = (parts: readonly Uint8Array[]): number => sizeWithHead(sizeOf(parts));

/** Writes a LogRecord, in one or more parts, as a field of its ScopeLogs; gives where the next one goes. */
export const putRecord = (bytes: Uint8Array, at: number, parts: readonly Uint8Array[]): number =>
  putMessage(bytes, at, 2, parts);

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

function sizeOf(parts: readonly Uint8Array[]): number {
  let size = 0;
  for (const part of parts) size += part.length;
  return size;
}

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
