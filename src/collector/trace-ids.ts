import type { SpanRef, Trace } from '#observation';
import type { Notes } from './notes.ts';
import type { Link } from './otlp.ts';

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const ZERO = /^0*$/;
const MAX_LINKS = 128;

export const isTraceId = (id: string): boolean => TRACE_ID.test(id);
export const isSpanId = (id: string): boolean => SPAN_ID.test(id);

/** Why a span cannot be placed, if it cannot (OTLP: trace and span id are required, 16 and 8 bytes, not all zero). */
export function idFault({ traceId, spanId }: SpanRef): string | undefined {
  if (traceId === '' || spanId === '') return `without ${traceId === '' ? 'traceId' : 'spanId'}`;
  if (!isTraceId(traceId)) return `with a traceId that is not 16 bytes (32 hex digits), not all zero`;
  if (!isSpanId(spanId)) return `with a spanId that is not 8 bytes (16 hex digits), not all zero`;
  return undefined;
}

/** Many senders write a missing parent as '' or zeros. A parent of another length is left out and said. */
export function parentOf(parentSpanId: string, notes: Notes): string | undefined {
  if (ZERO.test(parentSpanId)) return undefined;
  if (isSpanId(parentSpanId)) return parentSpanId;
  notes.warn('invalid_parent_span_id', `trace.parentSpanId: expected 16 hex digits, got ${parentSpanId.length}`);
  notes.miss('trace.parentSpanId', 'unverifiable');
  return undefined;
}

/** The spans a span links to; what the schema has no room for is counted. */
export function linksOf(links: readonly Link[], notes: Notes): Trace['links'] {
  const whole = links.filter(({ traceId, spanId }) => isTraceId(traceId) && isSpanId(spanId));
  if (whole.length < links.length)
    notes.warn('invalid_link', `trace.links: ${links.length - whole.length} with bad ids`);
  if (whole.length > MAX_LINKS) notes.warn('cut', `trace.links: ${whole.length}, cut to ${MAX_LINKS}`);
  return whole.slice(0, MAX_LINKS).map(({ traceId, spanId }) => ({ traceId, spanId }));
}
