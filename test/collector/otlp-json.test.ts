import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecodeLimits } from '../../src/collector/otlp.ts';
import { decodeLogsJson, decodeTracesJson } from '../../src/collector/otlp-json.ts';
import { decodeTraces } from '../../src/collector/otlp-protobuf.ts';
import { attributes, inProtobuf, span, traces } from './harness.ts';
import type { Plain } from './otlp-codec.ts';

const limits: DecodeLimits = { maxParts: 1_000_000 };
const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const decode = (value: unknown) => decodeTracesJson(bytes(value), limits);
const spanWith = (more: Plain) => decode(traces('s', span(1, 2, more)))[0]?.records[0];

test('a request in JSON is read as the same request in protobuf', () => {
  const values = { a: 'x', b: true, c: -5, d: 2.5, e: ['x', 1, [false]], f: { g: { h: 'i' } } };
  const links = [{ traceId: 'AB'.repeat(16), spanId: '0C'.repeat(8) }];
  const more = { parentSpanId: 'ab'.repeat(8), flags: 769, status: { code: 2 }, droppedAttributesCount: 3, links };
  const request = traces('payments', span(1, 2, { ...more, with: values }));
  assert.deepEqual(decode(request), decodeTraces(inProtobuf('traces', request), limits));
});

test('hex ids are read in any case', () => {
  assert.equal(spanWith({ traceId: '4BF92F3577B34DA6A3CE929D0E0E4736' })?.traceId, '4bf92f3577b34da6a3ce929d0e0e4736');
});

test('64-bit integers are read as decimal strings and as numbers', () => {
  assert.equal(spanWith({ startTimeUnixNano: '1793439700000000001' })?.startTimeUnixNano, 1793439700000000001n);
  assert.equal(spanWith({ startTimeUnixNano: 5 })?.startTimeUnixNano, 5n);
  const value = (intValue: unknown) =>
    spanWith({ attributes: [{ key: 'n', value: { intValue } }] })?.attributes.get('n');
  assert.deepEqual([value('-9223372036854775808'), value(7)], [-(2n ** 63n), 7n]);
});

test('doubles may be NaN and Infinity, bytes are base64', () => {
  const value = (given: Plain) => spanWith({ attributes: [{ key: 'v', value: given }] })?.attributes.get('v');
  assert.deepEqual(value({ doubleValue: 'NaN' }), Number.NaN);
  assert.equal(value({ doubleValue: '-Infinity' }), Number.NEGATIVE_INFINITY);
  assert.deepEqual(value({ bytesValue: 'AQI=' }), Uint8Array.of(1, 2));
});

test('unknown fields are ignored and null stands for nothing', () => {
  assert.deepEqual(decode({ resourceSpans: null, tomorrow: 1 }), []);
  assert.equal(spanWith({ name: null, tomorrow: { a: [] } })?.name, '');
});

test('the canonical protobuf mapping is recognised: base64 ids and enum names are refused with that reason', () => {
  const base64 = { traceId: 'S/kvNXezTaajzpKdDg5HNg==' };
  assert.throws(() => spanWith(base64), { status: 400, message: /traceId.*base64.*canonical protobuf JSON/ });
  assert.throws(() => spanWith({ spanId: 'APBnqguqkCs=' }), { status: 400, message: /spanId.*base64/ });
  assert.throws(() => spanWith({ kind: 'SPAN_KIND_SERVER' }), { status: 400, message: /kind.*enum name/ });
  assert.throws(() => spanWith({ status: { code: 'STATUS_CODE_OK' } }), {
    status: 400,
    message: /status\.code.*enum name/,
  });
  const severity = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityNumber: 'SEVERITY_NUMBER_INFO' }] }] }] };
  assert.throws(() => decodeLogsJson(bytes(severity), limits), { message: /severityNumber.*enum name/ });
  assert.throws(() => decode({ resource_spans: [] }), { status: 400, message: /lowerCamelCase.*resource_spans/ });
});

const WRONG: readonly (readonly [what: string, request: unknown, says: RegExp])[] = [
  ['no JSON', '{"resourceSpans":[', /not valid JSON/],
  ['an array', [], /the request: expected an object, got an array/],
  ['a resource list that is none', { resourceSpans: {} }, /resourceSpans: expected an array, got object/],
  ['a span that is a number', { resourceSpans: [{ scopeSpans: [{ spans: [1] }] }] }, /spans\[0\]: expected an object/],
  ['a name that is a number', traces('s', span(1, 2, { name: 1 })), /name: expected a string/],
  ['an id with other characters', traces('s', span(1, 2, { spanId: 'zz' })), /spanId: expected hex digits/],
  ['a time below zero', traces('s', span(1, 2, { startTimeUnixNano: '-1' })), /startTimeUnixNano: expected 0 to/],
  ['a time beyond 64 bits', traces('s', span(1, 2, { startTimeUnixNano: '18446744073709551616' })), /expected 0 to/],
  ['a time with a fraction', traces('s', span(1, 2, { startTimeUnixNano: 1.5 })), /expected an integer/],
  ['flags beyond 32 bits', traces('s', span(1, 2, { flags: 4294967296 })), /flags: expected 0 to 4294967295/],
];

for (const [what, request, says] of WRONG) {
  test(`${what} is refused by the field's name`, () => {
    assert.throws(() => decode(request), { name: 'RequestError', status: 400, message: says });
  });
}

test('bytes that are not UTF-8 are refused', () => {
  const body = Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
  assert.throws(() => decodeTracesJson(body, limits), { status: 400, message: /not valid UTF-8/ });
});

test('an error does not repeat what stood in the body', () => {
  assert.throws(
    () => decode('{"resourceSpans": hunter2}'),
    (error: Error) => !error.message.includes('hunter2'),
  );
});

test('values nested deeper than the limit are refused; a million brackets do not end the process', () => {
  let value: Plain = { stringValue: 'x' };
  for (let i = 0; i < 60; i += 1) value = { arrayValue: { values: [value] } };
  assert.throws(() => spanWith({ attributes: [{ key: 'a', value }] }), { status: 400, message: /nested more than 50/ });
  assert.throws(() => decode('['.repeat(1_000_000)), { status: 400 });
  assert.throws(() => decode(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`), { status: 400 });
});

test('a text that would unfold to too many values is refused before it is parsed', () => {
  const many = { resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: 500 }, () => ({})) }] }] };
  assert.throws(() => decodeTracesJson(bytes(many), { ...limits, maxParts: 50 }), { status: 413 });
  assert.throws(() => decodeTracesJson(bytes(many), { ...limits, maxParts: 400 }), { status: 413 });
});

test('the first of duplicate keys stands and the key is named', () => {
  const read = spanWith({ attributes: [...attributes({ 'user.id': 'dana' }), ...attributes({ 'user.id': 'eve' })] });
  assert.deepEqual([read?.attributes.get('user.id'), read?.duplicateKeys], ['dana', ['user.id']]);
});
