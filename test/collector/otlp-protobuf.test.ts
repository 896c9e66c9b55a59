import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KnownKeys } from '../../src/collector/known-keys.ts';
import type { AnyValue, DecodeLimits } from '../../src/collector/otlp.ts';
import { decodeLogs, decodeTraces } from '../../src/collector/otlp-protobuf.ts';
import { encodeMessage, type Plain } from './otlp-codec.ts';

const limits: DecodeLimits = { maxParts: 1_000_000 };

/** A value for the codec beside what the collector's decoder must make of it. */
interface Value {
  readonly wire: Plain;
  readonly read: AnyValue;
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const fixed64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const uint32 = fc.nat({ max: 0xffffffff });

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text.map((stringValue): Value => ({ wire: { stringValue }, read: stringValue })),
    fc.boolean().map((boolValue): Value => ({ wire: { boolValue }, read: boolValue })),
    int64.map((int): Value => ({ wire: { intValue: String(int) }, read: int })),
    fc.double().map((doubleValue): Value => ({ wire: { doubleValue }, read: doubleValue })),
    fc.uint8Array({ maxLength: 9 }).map((given): Value => ({ wire: { bytesValue: given }, read: given })),
    fc.constant<Value>({ wire: {}, read: null }),
    fc.array(tie('value'), { maxLength: 4 }).map(
      (values): Value => ({
        wire: { arrayValue: { values: values.map(({ wire }) => wire) } },
        read: values.map(({ read }) => read),
      }),
    ),
    fc.uniqueArray(fc.tuple(text, tie('value')), { maxLength: 4, selector: ([key]) => key }).map(
      (entries): Value => ({
        wire: { kvlistValue: { values: entries.map(([key, each]) => ({ key, value: each.wire })) } },
        read: new Map(entries.map(([key, each]) => [key, each.read])),
      }),
    ),
  ),
}));
const attributes = fc.uniqueArray(fc.tuple(text, value), { maxLength: 5, selector: ([key]) => key }).map((entries) => ({
  wire: entries.map(([key, each]) => ({ key, value: each.wire })),
  read: new Map(entries.map(([key, each]) => [key, each.read])),
}));
const id = (length: number) => fc.oneof(bytes(length), fc.uint8Array({ maxLength: 20 }));
const hex = (given: Uint8Array) => Buffer.from(given).toString('hex');
const int32 = fc.integer();

const span = fc
  .record({
    traceId: id(16),
    spanId: id(8),
    parentSpanId: id(8),
    name: text,
    kind: int32,
    start: fixed64,
    end: fixed64,
    attributes,
    dropped: uint32,
    droppedLinks: uint32,
    links: fc.array(fc.record({ traceId: id(16), spanId: id(8) }), { maxLength: 3 }),
    status: int32,
    flags: uint32,
  })
  .map((s) => ({
    wire: {
      traceId: s.traceId,
      spanId: s.spanId,
      parentSpanId: s.parentSpanId,
      traceState: 'a=b',
      name: s.name,
      kind: s.kind,
      startTimeUnixNano: String(s.start),
      endTimeUnixNano: String(s.end),
      attributes: s.attributes.wire,
      droppedAttributesCount: s.dropped,
      events: [{ timeUnixNano: '1', name: 'unread', attributes: s.attributes.wire }],
      droppedEventsCount: 7,
      links: s.links.map((link) => ({ ...link, traceState: 'x=y', attributes: s.attributes.wire, flags: 1 })),
      droppedLinksCount: s.droppedLinks,
      status: { message: 'unread', code: s.status },
      flags: s.flags,
    },
    read: {
      traceId: hex(s.traceId),
      spanId: hex(s.spanId),
      parentSpanId: hex(s.parentSpanId),
      name: s.name,
      kind: s.kind,
      flags: s.flags,
      startTimeUnixNano: s.start,
      endTimeUnixNano: s.end,
      attributes: s.attributes.read,
      duplicateKeys: [],
      droppedAttributesCount: s.dropped,
      droppedLinksCount: s.droppedLinks,
      links: s.links.map((link) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
      statusCode: s.status,
    },
  }));

const logRecord = fc
  .record({
    traceId: id(16),
    spanId: id(8),
    flags: uint32,
    eventName: text,
    time: fixed64,
    observed: fixed64,
    attributes,
    dropped: uint32,
    body: value,
  })
  .map((r) => ({
    wire: {
      timeUnixNano: String(r.time),
      observedTimeUnixNano: String(r.observed),
      severityNumber: 9,
      severityText: 'INFO',
      body: r.body.wire,
      attributes: r.attributes.wire,
      droppedAttributesCount: r.dropped,
      flags: r.flags,
      traceId: r.traceId,
      spanId: r.spanId,
      eventName: r.eventName,
    },
    read: {
      traceId: hex(r.traceId),
      spanId: hex(r.spanId),
      flags: r.flags,
      eventName: r.eventName,
      timeUnixNano: r.time,
      observedTimeUnixNano: r.observed,
      attributes: r.attributes.read,
      duplicateKeys: [],
      droppedAttributesCount: r.dropped,
    },
  }));

/** Resources of scopes of records, on the wire and as read. */
const groupsOf = <W, R>(record: fc.Arbitrary<{ wire: W; read: R }>, names: { scopes: string; records: string }) =>
  fc
    .array(
      fc.record({
        attributes,
        dropped: uint32,
        scopes: fc.array(fc.record({ name: text, version: text, records: fc.array(record, { maxLength: 3 }) }), {
          maxLength: 3,
        }),
      }),
      { maxLength: 3 },
    )
    .map((resources) => ({
      wire: resources.map((resource) => ({
        resource: { attributes: resource.attributes.wire, droppedAttributesCount: resource.dropped },
        [names.scopes]: resource.scopes.map(({ name, version, records }) => ({
          scope: { name, version, attributes: resource.attributes.wire },
          [names.records]: records.map(({ wire }) => wire),
          schemaUrl: 'unread',
        })),
      })),
      read: resources.flatMap((resource) =>
        resource.scopes.map(({ name, version, records }) => ({
          resource: { attributes: resource.attributes.read, droppedAttributesCount: resource.dropped },
          scope: { name, version },
          records: records.map(({ read }) => read),
        })),
      ),
    }));

test('spans that a generated codec wrote are read as they were', () => {
  fc.assert(
    fc.property(groupsOf(span, { scopes: 'scopeSpans', records: 'spans' }), ({ wire, read }) => {
      const body = encodeMessage('ExportTraceServiceRequest', { resourceSpans: wire });
      assert.deepEqual(decodeTraces(body, limits), read);
    }),
    { numRuns: 300 },
  );
});

test('log records that a generated codec wrote are read as they were', () => {
  fc.assert(
    fc.property(groupsOf(logRecord, { scopes: 'scopeLogs', records: 'logRecords' }), ({ wire, read }) => {
      const body = encodeMessage('ExportLogsServiceRequest', { resourceLogs: wire });
      assert.deepEqual(decodeLogs(body, limits), read);
    }),
    { numRuns: 300 },
  );
});

const request = (spans: readonly Plain[]) =>
  encodeMessage('ExportTraceServiceRequest', { resourceSpans: [{ scopeSpans: [{ spans }] }] });
const spanOf = (body: Uint8Array, some: DecodeLimits = limits) => decodeTraces(body, some)[0]?.records[0];

test('a message cut anywhere but at the end of a field is refused, and nothing else is thrown', () => {
  const body = request([{ name: 'pay', attributes: [{ key: 'user.id', value: { stringValue: 'dana' } }] }]);
  for (let length = 1; length < body.length; length += 1) {
    assert.throws(() => decodeTraces(body.subarray(0, length), limits), { name: 'RequestError', status: 400 });
  }
});

test('only attributes that somebody reads are unfolded', () => {
  const attributes = ['user.id', 'password'].map((key) => ({ key, value: { stringValue: 'x' } }));
  const read = spanOf(request([{ attributes }]), { ...limits, keys: new KnownKeys(['user.id']) });
  assert.deepEqual(read?.attributes, new Map([['user.id', 'x']]));
});

test('the first of duplicate keys stands and the key is named once', () => {
  const attributes = ['dana', 'eve', 'mallory'].map((user) => ({ key: 'user.id', value: { stringValue: user } }));
  const read = spanOf(request([{ attributes }]));
  assert.deepEqual([read?.attributes, read?.duplicateKeys], [new Map([['user.id', 'dana']]), ['user.id']]);
});

test('a key that stands behind its value is still the key', () => {
  // KeyValue with field 2 (AnyValue "dana") before field 1 ("user.id").
  const keyValue = Buffer.concat([
    Buffer.from([0x12, 6, 0x0a, 4]),
    Buffer.from('dana'),
    Buffer.from([0x0a, 7]),
    Buffer.from('user.id'),
  ]);
  const body = wrap(0x0a, wrap(0x12, wrap(0x12, wrap(0x4a, keyValue))));
  assert.deepEqual(spanOf(body)?.attributes, new Map([['user.id', 'dana']]));
});

/** A length-delimited field with its tag. */
const wrap = (tag: number, inner: Uint8Array): Uint8Array =>
  Buffer.concat([
    inner.length < 128
      ? Buffer.from([tag, inner.length])
      : Buffer.from([tag, (inner.length & 0x7f) | 0x80, inner.length >> 7]),
    inner,
  ]);

test('values nested deeper than the limit are refused', () => {
  const nest = (depth: number): Uint8Array =>
    depth === 0 ? Buffer.from([0x10, 1]) : wrap(0x2a, wrap(0x0a, nest(depth - 1))); // arrayValue { values }
  const body = (depth: number) => wrap(0x0a, wrap(0x12, wrap(0x12, wrap(0x4a, wrap(0x12, nest(depth))))));
  assert.doesNotThrow(() => decodeTraces(body(40), limits));
  assert.throws(() => decodeTraces(body(60), limits), { status: 400, message: /nested more than 100/ });
});

test('a request that unfolds to more parts than the limit is refused as too large', () => {
  const spans = Array.from({ length: 100 }, () => ({}));
  assert.throws(() => decodeTraces(request(spans), { ...limits, maxParts: 99 }), { status: 413 });
});

test('fields of another wire type than theirs, unknown fields and groups are skipped', () => {
  const unknown = [0x0d, 1, 2, 3, 4, 0xfb, 0x07, 0x08, 1, 0xfc, 0x07, 0x80, 0x7d, 1]; // field 1 as fixed32, a group, field 2000
  const body = Buffer.concat([Buffer.from(unknown), request([{ name: 'pay' }])]);
  assert.equal(spanOf(body)?.name, 'pay');
});
