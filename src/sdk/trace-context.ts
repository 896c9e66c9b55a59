import { randomBytes } from 'node:crypto';
import { type Context, createTraceState, isSpanContextValid, type SpanContext, trace } from '@opentelemetry/api';

/** Where a hop stands in its trace. */
export interface SpanRef {
  readonly traceId: string;
  readonly spanId: string;
}

/** W3C Trace Context flags: sampled, and random trace id (level 2). */
const SAMPLED_AND_RANDOM = 0x03;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent` (W3C Trace Context section 3.2); undefined when it must be ignored. */
export function parseTraceparent(header: string | undefined, tracestate?: string): SpanContext | undefined {
  if (header === undefined) return undefined;
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined || version === 'ff') return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  const traceFlags = Number.parseInt(flags ?? '00', 16) & SAMPLED_AND_RANDOM;
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (!isSpanContextValid(context)) return undefined;
  return tracestate === undefined ? context : { ...context, traceState: createTraceState(tracestate) };
}

export const formatTraceparent = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${(traceFlags & SAMPLED_AND_RANDOM).toString(16).padStart(2, '0')}`;

/**
 * A span context of our own below `parent`, for hosts without an OpenTelemetry SDK. A trace that begins here is marked
 * sampled: its hops are recorded, and a sampler further down must not take the mark's absence for a wish.
 */
export function childSpanContext(parent: SpanContext | undefined): SpanContext {
  const spanId = randomId(8);
  if (parent === undefined) return { traceId: randomId(16), spanId, traceFlags: SAMPLED_AND_RANDOM };
  const { traceId, traceFlags, traceState } = parent;
  return { traceId, spanId, traceFlags, ...(traceState && { traceState }) };
}

/** The span context that stands in a context, if it is valid. */
export function spanContextIn(context: Context): SpanContext | undefined {
  const found = trace.getSpanContext(context);
  return found !== undefined && isSpanContextValid(found) ? found : undefined;
}

function randomId(bytes: 8 | 16): string {
  for (;;) {
    const id = randomBytes(bytes).toString('hex');
    if (!/^0+$/.test(id)) return id;
  }
}
