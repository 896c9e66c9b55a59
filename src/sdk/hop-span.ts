import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  propagation,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { harmless } from './harmless.ts';
import { childSpanContext, parseTraceparent, spanContextIn } from './trace-context.ts';

/** The span of a hop: OpenTelemetry's where there is one, ids of our own else. */
export class HopSpan {
  readonly ids: SpanContext;
  readonly parentSpanId: string | undefined;
  /** The context in which the hop's work runs. */
  readonly context: Context;
  /** True when we started it: then it ends with the hop. */
  readonly ours: boolean;
  readonly #span: Span;

  constructor(o: {
    span: Span;
    ids: SpanContext;
    parent: Pick<SpanContext, 'spanId'> | undefined;
    context: Context;
    ours: boolean;
  }) {
    this.#span = o.span;
    this.ids = o.ids;
    this.parentSpanId = o.parent?.spanId;
    this.context = o.context;
    this.ours = o.ours;
  }

  /** For people who look at traces. Nothing personal, no token. One that has ended stays as it is. */
  annotate(attributes: Attributes): void {
    harmless('describing a span', () => {
      if (this.#span.isRecording()) this.#span.setAttributes(attributes);
    });
  }

  /** Ends the span if we started it. */
  end(failed: boolean): void {
    if (!this.ours) return;
    harmless('ending a span', () => {
      if (failed) this.#span.setStatus({ code: SpanStatusCode.ERROR });
      this.#span.end();
    });
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * The callee's span: the SERVER span the host's instrumentation made active, else a new one below the caller's span as
 * the request's headers tell it (W3C Trace Context, or the propagator the host has set).
 */
export function serverSpan(active: Context, name: string, headers: Headers): HopSpan {
  const caller = parseTraceparent(single(headers.traceparent), single(headers.tracestate));
  const running = trace.getSpan(active);
  if (running !== undefined && isServerSpan(running, caller)) {
    const ids = running.spanContext();
    const parent = caller?.traceId === ids.traceId ? caller : parentOf(running);
    return new HopSpan({ span: running, ids, parent, context: active, ours: false });
  }
  const extract = () => propagation.extract(active, headers, defaultTextMapGetter);
  const extracted = harmless('reading trace headers', extract) ?? active;
  const parent = remoteIn(extracted) ?? caller;
  const below = parent === undefined ? trace.deleteSpan(extracted) : trace.setSpanContext(extracted, parent);
  return startSpan(name, SpanKind.SERVER, below, parent);
}

/** A CLIENT span below what is active. */
export const clientSpan = (active: Context, name: string): HopSpan =>
  startSpan(name, SpanKind.CLIENT, active, spanContextIn(active));

/** A span for work that crosses no boundary; `parent` counts where none is active. */
export function localSpan(active: Context, name: string, parent: SpanContext | undefined): HopSpan {
  const above = spanContextIn(active) ?? parent;
  const below = above === undefined ? active : trace.setSpanContext(active, above);
  return startSpan(name, SpanKind.INTERNAL, below, above);
}

/** The span of the request being served, as far as the active span says that it is one. */
export function activeServerSpan(active: Context): SpanContext | undefined {
  const span = trace.getSpan(active);
  return span !== undefined && kindOf(span) === SpanKind.SERVER ? span.spanContext() : undefined;
}

/**
 * The host's sampler and processors run inside: what they throw costs the trace a span, not the host a request.
 * Without an SDK the API's tracer gives back the parent's ids, or none: then the ids are ours.
 */
function startSpan(name: string, kind: SpanKind, below: Context, parent: SpanContext | undefined): HopSpan {
  const start = () => trace.getTracer('@behalf/sdk').startSpan(name, { kind }, below);
  const span = harmless('starting a span', start) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  const given = span.spanContext();
  const isNew = isSpanContextValid(given) && given.spanId !== parent?.spanId;
  const ids = isNew ? given : childSpanContext(parent);
  const context = isNew ? trace.setSpan(below, span) : trace.setSpanContext(below, ids);
  return new HopSpan({ span, ids, parent, context, ours: true });
}

/**
 * A span that is not recorded tells no kind; it counts when it is local. The caller's own span can be the active one,
 * when a request is injected into the process that makes it.
 */
function isServerSpan(span: Span, caller: SpanContext | undefined): boolean {
  const ids = span.spanContext();
  if (!isSpanContextValid(ids) || ids.isRemote === true || ids.spanId === caller?.spanId) return false;
  const kind = kindOf(span);
  return kind === SpanKind.SERVER || kind === undefined;
}

const kindOf = (span: Span): unknown => ('kind' in span ? span.kind : undefined);

function parentOf(span: Span): Pick<SpanContext, 'spanId'> | undefined {
  const parent: unknown = 'parentSpanContext' in span ? span.parentSpanContext : undefined;
  const spanId: unknown =
    typeof parent === 'object' && parent !== null && 'spanId' in parent ? parent.spanId : undefined;
  return typeof spanId === 'string' ? { spanId } : undefined;
}

function remoteIn(context: Context): SpanContext | undefined {
  const found = spanContextIn(context);
  return found?.isRemote === true ? found : undefined;
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? undefined : header;
