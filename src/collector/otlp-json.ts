import type { KnownKeys } from './known-keys.ts';
import type { AnyValue, Attributes, DecodeLimits, Group, Link, LogRecord, Resource, Scope, Span } from './otlp.ts';
import { MAX_DEPTH } from './otlp.ts';
import { badRequest, tooLarge } from './request-error.ts';

type Json = Readonly<Record<string, unknown>>;

/** Decodes the JSON form of ExportTraceServiceRequest (OTLP specification, "JSON Protobuf Encoding"). Throws RequestError. */
export function decodeTracesJson(body: Uint8Array, limits: DecodeLimits): readonly Group<Span>[] {
  const decoder = new JsonDecoder(limits);
  return decoder.export(body, { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' }, (json, at) =>
    decoder.span(json, at),
  );
}

/** Decodes the JSON form of ExportLogsServiceRequest. Throws RequestError. */
export function decodeLogsJson(body: Uint8Array, limits: DecodeLimits): readonly Group<LogRecord>[] {
  const decoder = new JsonDecoder(limits);
  return decoder.export(body, { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' }, (json, at) =>
    decoder.logRecord(json, at),
  );
}

interface Names {
  readonly resources: string;
  readonly scopes: string;
  readonly records: string;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const fatalUtf8 = new TextDecoder('utf-8', { fatal: true });

class JsonDecoder {
  readonly #limits: DecodeLimits;
  #parts = 0;

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  export<T>(body: Uint8Array, names: Names, record: (json: Json, at: string) => T): Group<T>[] {
    const request = object(parse(body, this.#limits), 'the request');
    const renamed = snakeCase(names.resources);
    if (!(names.resources in request) && renamed in request) {
      throw badRequest(`OTLP/JSON keys are lowerCamelCase: expected ${names.resources}, got ${renamed}`, renamed);
    }
    return list(request[names.resources], names.resources).flatMap((each, i) => {
      const at = `${names.resources}[${i}]`;
      const json = this.#part(each, at);
      const resource = this.#resource(json.resource, `${at}.resource`);
      return list(json[names.scopes], `${at}.${names.scopes}`).map((inner, j) =>
        this.#group(inner, `${at}.${names.scopes}[${j}]`, { resource, names, record }),
      );
    });
  }

  #group<T>(
    value: unknown,
    at: string,
    { resource, names, record }: { resource: Resource; names: Names; record: (json: Json, at: string) => T },
  ): Group<T> {
    const json = this.#part(value, at);
    const scope: Scope = scopeOf(json.scope, `${at}.scope`);
    const records = list(json[names.records], `${at}.${names.records}`).map((each, i) => {
      const where = `${at}.${names.records}[${i}]`;
      return record(this.#part(each, where), where);
    });
    return { resource, scope, records };
  }

  span(json: Json, at: string): Span {
    const { attributes, duplicateKeys } = this.#attributes(json.attributes, `${at}.attributes`, this.#limits.keys);
    return {
      traceId: id(json.traceId, `${at}.traceId`),
      spanId: id(json.spanId, `${at}.spanId`),
      parentSpanId: id(json.parentSpanId, `${at}.parentSpanId`),
      name: text(json.name, `${at}.name`),
      kind: enumeration(json.kind, `${at}.kind`),
      flags: uint32(json.flags, `${at}.flags`),
      startTimeUnixNano: uint64(json.startTimeUnixNano, `${at}.startTimeUnixNano`),
      endTimeUnixNano: uint64(json.endTimeUnixNano, `${at}.endTimeUnixNano`),
      attributes,
      duplicateKeys,
      droppedAttributesCount: uint32(json.droppedAttributesCount, `${at}.droppedAttributesCount`),
      droppedLinksCount: uint32(json.droppedLinksCount, `${at}.droppedLinksCount`),
      links: list(json.links, `${at}.links`).map((each, i) => this.#link(each, `${at}.links[${i}]`)),
      statusCode: json.status == null ? 0 : enumeration(object(json.status, `${at}.status`).code, `${at}.status.code`),
    };
  }

  logRecord(json: Json, at: string): LogRecord {
    const { attributes, duplicateKeys } = this.#attributes(json.attributes, `${at}.attributes`, this.#limits.keys);
    enumeration(json.severityNumber, `${at}.severityNumber`);
    return {
      traceId: id(json.traceId, `${at}.traceId`),
      spanId: id(json.spanId, `${at}.spanId`),
      flags: uint32(json.flags, `${at}.flags`),
      eventName: text(json.eventName, `${at}.eventName`),
      timeUnixNano: uint64(json.timeUnixNano, `${at}.timeUnixNano`),
      observedTimeUnixNano: uint64(json.observedTimeUnixNano, `${at}.observedTimeUnixNano`),
      attributes,
      duplicateKeys,
      droppedAttributesCount: uint32(json.droppedAttributesCount, `${at}.droppedAttributesCount`),
    };
  }

  #link(value: unknown, at: string): Link {
    const json = this.#part(value, at);
    return { traceId: id(json.traceId, `${at}.traceId`), spanId: id(json.spanId, `${at}.spanId`) };
  }

  #resource(value: unknown, at: string): Resource {
    if (value == null) return { attributes: new Map(), droppedAttributesCount: 0 };
    const json = this.#part(value, at);
    return {
      attributes: this.#attributes(json.attributes, `${at}.attributes`, this.#limits.keys).attributes,
      droppedAttributesCount: uint32(json.droppedAttributesCount, `${at}.droppedAttributesCount`),
    };
  }

  /** `keys`: the only ones that are read, where there are such. */
  #attributes(value: unknown, at: string, keys: KnownKeys | undefined, depth = 0) {
    const attributes = new Map<string, AnyValue>();
    const duplicateKeys: string[] = [];
    for (const [i, each] of list(value, at).entries()) {
      const json = object(each, `${at}[${i}]`);
      const key = text(json.key, `${at}[${i}].key`);
      if (keys?.has(key) === false) continue;
      if (!attributes.has(key)) attributes.set(key, this.#anyValue(json.value, `${at}[${i}].value`, depth + 1));
      else if (!duplicateKeys.includes(key)) duplicateKeys.push(key);
    }
    return { attributes, duplicateKeys };
  }

  #anyValue(value: unknown, at: string, depth: number): AnyValue {
    if (value == null) return null;
    const json = this.#part(value, at);
    if (depth > MAX_DEPTH / 2) throw badRequest(`JSON: attribute values nested more than ${MAX_DEPTH / 2} deep`, at);
    if (json.stringValue != null) return text(json.stringValue, `${at}.stringValue`);
    if (json.boolValue != null) return boolean(json.boolValue, `${at}.boolValue`);
    if (json.intValue != null) return int64(json.intValue, `${at}.intValue`);
    if (json.doubleValue != null) return double(json.doubleValue, `${at}.doubleValue`);
    if (json.bytesValue != null) return base64(json.bytesValue, `${at}.bytesValue`);
    if (json.arrayValue != null) return this.#list(object(json.arrayValue, at), `${at}.arrayValue`, depth);
    if (json.kvlistValue != null) return this.#map(object(json.kvlistValue, at), `${at}.kvlistValue`, depth);
    return null;
  }

  #list(json: Json, at: string, depth: number): AnyValue[] {
    return list(json.values, `${at}.values`).map((each, i) => this.#anyValue(each, `${at}.values[${i}]`, depth + 1));
  }

  #map(json: Json, at: string, depth: number): Attributes {
    return this.#attributes(json.values, `${at}.values`, undefined, depth).attributes;
  }

  #part(value: unknown, at: string): Json {
    this.#parts += 1;
    if (this.#parts > this.#limits.maxParts) throw tooMany(this.#limits);
    return object(value, at);
  }
}

const tooMany = ({ maxParts }: DecodeLimits) =>
  tooLarge(`more than ${maxParts} spans, records, attributes and links in one request; send less at once`);

function parse(body: Uint8Array, limits: DecodeLimits): unknown {
  if (body.length === 0) return {};
  if (countCommas(body) > 8 * limits.maxParts) throw tooMany(limits);
  try {
    return JSON.parse(fatalUtf8.decode(body));
  } catch (cause) {
    // The parser's own message quotes the text around the fault: it may be a secret.
    const what = cause instanceof SyntaxError ? 'not valid JSON' : 'not valid UTF-8';
    throw badRequest(`the body is ${what}: expected an OTLP/JSON request, got ${body.length} bytes`, undefined, cause);
  }
}

/** An upper bound of the values a JSON text unfolds to, taken before any is made. */
function countCommas(body: Uint8Array): number {
  let count = 0;
  for (const byte of body) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) count += 1; // , [ {
  return count;
}

const got = (value: unknown): string => (Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value);

function object(value: unknown, at: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json; // just checked
  throw badRequest(`${at}: expected an object, got ${got(value)}`, at);
}

function list(value: unknown, at: string): readonly unknown[] {
  if (value == null) return [];
  if (Array.isArray(value)) return value;
  throw badRequest(`${at}: expected an array, got ${got(value)}`, at);
}

function scopeOf(value: unknown, at: string): Scope {
  if (value == null) return { name: '', version: '' };
  const json = object(value, at);
  return { name: text(json.name, `${at}.name`), version: text(json.version, `${at}.version`) };
}

function text(value: unknown, at: string): string {
  if (value == null) return '';
  if (typeof value === 'string') return value;
  throw badRequest(`${at}: expected a string, got ${got(value)}`, at);
}

function boolean(value: unknown, at: string): boolean {
  if (typeof value === 'boolean') return value;
  throw badRequest(`${at}: expected a boolean, got ${got(value)}`, at);
}

const HEX = /^[0-9a-fA-F]*$/;
const BASE64_ID = /^[A-Za-z0-9+/_-]{11,22}={1,2}$/;

/** Hex of any case; the length is judged per record. Base64 means another JSON mapping, where nothing else would fit either. */
function id(value: unknown, at: string): string {
  const given = text(value, at);
  if (HEX.test(given)) return given.toLowerCase();
  if (BASE64_ID.test(given)) {
    throw badRequest(
      `${at}: expected hex digits, got base64: this is canonical protobuf JSON; OTLP/JSON writes ids as hex and enums as integers`,
      at,
    );
  }
  throw badRequest(`${at}: expected hex digits, got other characters`, at);
}

function enumeration(value: unknown, at: string): number {
  if (value == null) return 0;
  if (typeof value === 'string' && /^[A-Z][A-Z0-9_]*$/.test(value)) {
    throw badRequest(
      `${at}: expected an integer, got an enum name: this is canonical protobuf JSON; OTLP/JSON writes enums as integers and ids as hex`,
      at,
    );
  }
  return Number(integer(value, at, { least: -(2n ** 31n), most: 2n ** 31n - 1n }));
}

const uint32 = (value: unknown, at: string): number =>
  value == null ? 0 : Number(integer(value, at, { least: 0n, most: 2n ** 32n - 1n }));
const uint64 = (value: unknown, at: string): bigint =>
  value == null ? 0n : integer(value, at, { least: 0n, most: 2n ** 64n - 1n });
const int64 = (value: unknown, at: string): bigint => integer(value, at, { least: -(2n ** 63n), most: 2n ** 63n - 1n });

/** Proto3 JSON takes integers as numbers, and as decimal strings. */
function integer(value: unknown, at: string, { least, most }: { least: bigint; most: bigint }): bigint {
  const isWritten = typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value);
  if (!isWritten && !(typeof value === 'number' && Number.isInteger(value))) {
    throw badRequest(`${at}: expected an integer, as number or decimal string, got ${got(value)}`, at);
  }
  const number = BigInt(value as string | number); // just checked
  if (number < least || number > most)
    throw badRequest(`${at}: expected ${least} to ${most}, got a number outside`, at);
  return number;
}

function double(value: unknown, at: string): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (value === 'NaN' || !Number.isNaN(number)) return number;
  throw badRequest(`${at}: expected a number, "NaN" or "Infinity", got ${got(value)}`, at);
}

function base64(value: unknown, at: string): Uint8Array {
  const given = text(value, at);
  if (/^[A-Za-z0-9+/_-]*={0,2}$/.test(given)) return Uint8Array.from(Buffer.from(given, 'base64'));
  throw badRequest(`${at}: expected base64, got other characters`, at);
}
