import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { childSpanContext, formatTraceparent, parseTraceparent } from '../../src/sdk/trace-context.ts';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));

test('what is written as traceparent is read back', () => {
  const ids = fc.record({
    traceId: hex(32).filter((id) => !/^0+$/.test(id)),
    spanId: hex(16).filter((id) => !/^0+$/.test(id)),
    traceFlags: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(ids, (span) =>
      assert.deepEqual(parseTraceparent(formatTraceparent(span)), { ...span, isRemote: true }),
    ),
  );
});

test('a traceparent that W3C Trace Context says to ignore is ignored', () => {
  const [trace, span] = ['a'.repeat(32), 'b'.repeat(16)];
  const ignored = [
    undefined,
    '',
    `ff-${trace}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${trace}-${span}-1`,
    `00-${trace}-${span}`,
    `0-${trace}-${span}-01`,
    ` 00-${trace}-${span}-01`,
  ];
  for (const header of ignored) assert.equal(parseTraceparent(header), undefined, String(header));
});

test('a later version is read by its first fields, and unknown flags are dropped', () => {
  const parsed = parseTraceparent(`cc-${'a'.repeat(32)}-${'b'.repeat(16)}-ff-what-comes`);
  assert.deepEqual([parsed?.traceId, parsed?.traceFlags], ['a'.repeat(32), 3]);
});

test('a child stays in its parent’s trace under a new span; without a parent a trace begins', () => {
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 };
  const child = childSpanContext(parent);
  assert.deepEqual([child.traceId, child.traceFlags], [parent.traceId, 0]);
  assert.notEqual(child.spanId, parent.spanId);
  const first = childSpanContext(undefined);
  assert.deepEqual(parseTraceparent(formatTraceparent(first)), { ...first, isRemote: true });
});
