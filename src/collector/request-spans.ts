import type { SpanRef } from '#observation';
import type { SpanNode } from './cause.ts';
import { SPAN_KIND, type Span } from './otlp.ts';
import type { SenderCounts } from './sender-account.ts';
import { type ReadSpan, type Side, sideOf } from './span-hop.ts';
import { isSpanId } from './trace-ids.ts';

/** A span of a request whose ids are sound, and who sent it. */
export interface SentSpan extends Omit<ReadSpan, 'side'> {
  readonly service: string;
  readonly sender: SenderCounts;
}

/** A span at its place among those of its request. */
export interface PlacedSpan extends SentSpan {
  /** The parent's id when it is one. */
  readonly parentSpanId: string | undefined;
}

/** What later requests need of a span: where it was, and whether a hop was made of it. */
interface Place extends SpanRef, SpanNode {
  readonly service: string;
}

/** OTLP span flags: "is remote" is known, and the parent is (opentelemetry.proto.trace.v1.SpanFlags). */
const PARENT_IS_REMOTE = 0x300;

const NONE: readonly Judged[] = [];

/** `side`: null until it is asked for. */
export interface Judged extends PlacedSpan {
  side: Side | undefined | null;
}

/** The spans of one request, by trace and span id: the pair is not unique in the wild. */
export class RequestSpans {
  readonly #all: Judged[] = [];
  readonly #traces = new Map<string, Map<string, Judged[]>>();
  #byParent: ReadonlyMap<string, readonly Judged[]> | undefined;

  /** All spans are added before the first question. */
  add(sent: SentSpan): void {
    const { parentSpanId, traceId, spanId } = sent.span;
    const placed = { ...sent, parentSpanId: isSpanId(parentSpanId) ? parentSpanId : undefined, side: null };
    this.#all.push(placed);
    const trace = this.#traces.get(traceId) ?? new Map<string, Judged[]>();
    if (trace.size === 0) this.#traces.set(traceId, trace);
    const there = trace.get(spanId);
    if (there === undefined) trace.set(spanId, [placed]);
    else there.push(placed);
  }

  get all(): readonly Judged[] {
    return this.#all;
  }

  find({ traceId, spanId }: SpanRef): readonly SpanNode[] {
    return this.#at(traceId, spanId).map((each) => ({
      parentSpanId: each.parentSpanId,
      isHop: this.sideOf(each) !== undefined,
    }));
  }

  at({ traceId, spanId }: SpanRef): readonly Judged[] {
    return this.#at(traceId, spanId);
  }

  sideOf(each: Judged): Side | undefined {
    if (each.side === null) each.side = this.#judge(each);
    return each.side;
  }

  whyNot(each: PlacedSpan): 'repeats_parent' | 'internal_span' {
    return each.reading.users.length > 0 ? 'repeats_parent' : 'internal_span';
  }

  places(): readonly Place[] {
    return this.#all.map((each) => ({
      service: each.service,
      traceId: each.span.traceId,
      spanId: each.span.spanId,
      parentSpanId: each.parentSpanId,
      isHop: this.sideOf(each) !== undefined,
    }));
  }

  #at(traceId: string, spanId: string | undefined): readonly Judged[] {
    return (spanId === undefined ? undefined : this.#traces.get(traceId)?.get(spanId)) ?? NONE;
  }

  #under({ traceId, spanId }: SpanRef): readonly Judged[] {
    this.#byParent ??= Map.groupBy(this.#all, (each) => `${each.span.traceId}/${each.parentSpanId ?? ''}`);
    return this.#byParent.get(`${traceId}/${spanId}`) ?? NONE;
  }

  /**
   * As sideOf. Many tracers write every span as INTERNAL: where the parent is a span of another service a boundary was
   * crossed all the same, and the two spans are its ends. An inner span that merely repeats the user of the span around
   * it adds nothing.
   */
  #judge(each: PlacedSpan): Side | undefined {
    if (hasBoundaryKind(each.span)) return sideOf(each.span, each.reading);
    if (this.#comesFromElsewhere(each)) return 'callee';
    const side = sideOf(each.span, each.reading);
    if (side === undefined) return this.#leadsElsewhere(each) ? 'caller' : undefined;
    const { step } = each.reading;
    return step === 'agent' || step === 'tool' || !this.#repeatsParent(each) ? side : undefined;
  }

  /** Its parent is known to be remote, or is a span of another service only: a span id may stand for both ends of one call. */
  #comesFromElsewhere({ span, service, parentSpanId }: PlacedSpan): boolean {
    if ((span.flags & PARENT_IS_REMOTE) === PARENT_IS_REMOTE && parentSpanId !== undefined) return true;
    const parents = this.#at(span.traceId, parentSpanId);
    return parents.length > 0 && parents.every((parent) => parent.service !== service);
  }

  /** A span of another service hangs on it, and on no other span of that id. */
  #leadsElsewhere({ span, service }: PlacedSpan): boolean {
    if (this.#at(span.traceId, span.spanId).length > 1) return false;
    return this.#under(span).some((child) => child.service !== service);
  }

  #repeatsParent({ span, reading }: PlacedSpan): boolean {
    const around = this.#at(span.traceId, span.parentSpanId);
    return around.some((parent) => parent.reading.users[0]?.id === reading.users[0]?.id);
  }
}

const hasBoundaryKind = ({ kind }: Span): boolean => kind > SPAN_KIND.internal && kind <= SPAN_KIND.consumer;
