import { type Observation, ObservationError, type SpanRef } from '#observation';
import type { Accounting, NotStored } from './account.ts';
import { causeOf, type SpanMemory, type SpanNode } from './cause.ts';
import { type Group, type LogRecord, SPAN_KIND, type Span } from './otlp.ts';
import { withoutOwn } from './own-telemetry.ts';
import { senderOf, textOf, UNKNOWN_SERVICE } from './reporter.ts';
import { eventOf, observationOfRecord } from './sdk-record.ts';
import type { SenderCounts } from './sender-account.ts';
import { hopOfSpan, type ReadSpan, sideOf } from './span-hop.ts';
import { idFault, isSpanId } from './trace-ids.ts';
import { readSpan } from './vocabulary/read-span.ts';

/** What a request comes to. */
export interface Observed {
  readonly observations: readonly Observation[];
  /** Why records were refused, one reason each. */
  readonly refusals: readonly string[];
  /** To be called once the observations are durable: later requests may then name them as causes. */
  readonly remember: () => void;
}

export interface Observer {
  readonly received: bigint;
  readonly idKey: Uint8Array;
  readonly memory: SpanMemory;
  readonly accounting: Accounting;
}

/** Turns the SDK's log records into observations. Other log records are counted and left. */
export function observeLogs(groups: readonly Group<LogRecord>[], { received, accounting }: Observer): Observed {
  const observations: Observation[] = [];
  const refusals: string[] = [];
  for (const { resource, scope, records } of withoutOwn(groups, accounting)) {
    const sender = accounting.sender(senderOf(resource));
    sender.receive(records.length, received);
    for (const record of records) {
      const event = eventOf(record);
      if (event === undefined) leaveOut('other_log_record', sender, accounting);
      else {
        take({ refusals, sender }, () =>
          observations.push(observationOfRecord({ event, resource, scope, record }, received)),
        );
      }
    }
  }
  return { observations, refusals, remember: () => {} };
}

/** Turns spans that cross a boundary or name somebody into observations, each with the nearest such span above as cause. */
export function observeSpans(groups: readonly Group<Span>[], observer: Observer): Observed {
  const refusals: string[] = [];
  const placed = withoutOwn(groups, observer.accounting).flatMap(({ resource, scope, records }) => {
    const sender = observer.accounting.sender(senderOf(resource));
    sender.receive(records.length, observer.received);
    return records.flatMap((span) => {
      const fault = idFault(span);
      if (fault === undefined) return { resource, scope, sender, span, reading: readSpan(span) };
      refuse(`span ${fault}`, { refusals, sender });
      return [];
    });
  });
  const nodes = new RequestSpans(placed);
  const observations: Observation[] = [];
  for (const each of placed) {
    const side = nodes.sideOf(each);
    if (side === undefined) leaveOut(nodes.whyNot(each), each.sender, observer.accounting);
    else take({ refusals, sender: each.sender }, () => observations.push(hop({ ...each, side }, nodes, observer)));
  }
  // Kept until the append resolved: the places only, not the spans they stand for.
  const places = nodes.places();
  const remember = () => {
    for (const { service, ref, node } of places) observer.memory.remember(service, ref, node);
  };
  return { observations, refusals, remember };
}

type PlacedSpan = Omit<ReadSpan, 'side'> & { readonly sender: SenderCounts };

const serviceOf = ({ resource }: Pick<PlacedSpan, 'resource'>): string =>
  textOf(resource.attributes, 'service.name') ?? UNKNOWN_SERVICE;
const parentIn = ({ span }: Pick<PlacedSpan, 'span'>): string | undefined =>
  isSpanId(span.parentSpanId) ? span.parentSpanId : undefined;

function hop(read: ReadSpan, nodes: RequestSpans, { received, idKey, memory }: Observer): Observation {
  const { traceId, spanId } = read.span;
  const service = serviceOf(read);
  const index = (ref: SpanRef): readonly SpanNode[] => {
    const here = nodes.find(ref);
    const before = here.length > 0 ? undefined : memory.find(service, ref);
    return before === undefined ? here : [before];
  };
  const cause = causeOf({ traceId, spanId, parentSpanId: parentIn(read) }, index);
  return hopOfSpan(read, { received, cause, idKey });
}

/** A record that does not fit the closed schema is refused by the field's name; anything else is a fault of ours. */
function take(refused: Refused, observe: () => void): void {
  try {
    observe();
  } catch (error) {
    if (!(error instanceof ObservationError)) throw error;
    refuse(error.message, refused);
  }
}

interface Refused {
  readonly refusals: string[];
  readonly sender: SenderCounts;
}

function refuse(reason: string, { refusals, sender }: Refused): void {
  refusals.push(reason);
  sender.refuse(reason);
}

function leaveOut(reason: NotStored, sender: SenderCounts, accounting: Accounting): void {
  sender.leaveOut(reason);
  accounting.leaveOut(reason);
}

/** The spans of one request, by trace and span id. */
class RequestSpans {
  readonly #bySpan: ReadonlyMap<string, readonly PlacedSpan[]>;
  readonly #byParent: ReadonlyMap<string, readonly PlacedSpan[]>;
  readonly #sides = new Map<PlacedSpan, ReadSpan['side'] | undefined>();

  constructor(spans: readonly PlacedSpan[]) {
    this.#bySpan = Map.groupBy(spans, ({ span }) => `${span.traceId}/${span.spanId}`);
    this.#byParent = Map.groupBy(spans, (each) => `${each.span.traceId}/${parentIn(each) ?? ''}`);
  }

  find({ traceId, spanId }: SpanRef): readonly SpanNode[] {
    return (this.#bySpan.get(`${traceId}/${spanId}`) ?? []).map((each) => ({
      parentSpanId: parentIn(each),
      isHop: this.sideOf(each) !== undefined,
    }));
  }

  sideOf(each: PlacedSpan): ReadSpan['side'] | undefined {
    if (!this.#sides.has(each)) this.#sides.set(each, this.#judge(each));
    return this.#sides.get(each);
  }

  /**
   * As sideOf. Many tracers write every span as INTERNAL: where the parent is a span of another service a boundary was
   * crossed all the same, and the two spans are its ends. An inner span that merely repeats the user of the span around
   * it adds nothing.
   */
  #judge(each: PlacedSpan): ReadSpan['side'] | undefined {
    if (hasBoundaryKind(each.span)) return sideOf(each.span, each.reading);
    if (this.#comesFromElsewhere(each)) return 'callee';
    const side = sideOf(each.span, each.reading);
    if (side === undefined) return this.#leadsElsewhere(each) ? 'caller' : undefined;
    const { step } = each.reading;
    return step === 'agent' || step === 'tool' || !this.#repeatsParent(each) ? side : undefined;
  }

  /** Its parent is known to be remote, or is a span of another service only: a span id may stand for both ends of one call. */
  #comesFromElsewhere(each: PlacedSpan): boolean {
    if ((each.span.flags & PARENT_IS_REMOTE) === PARENT_IS_REMOTE && parentIn(each) !== undefined) return true;
    const parents = this.#bySpan.get(`${each.span.traceId}/${parentIn(each) ?? ''}`) ?? [];
    return parents.length > 0 && parents.every((parent) => serviceOf(parent) !== serviceOf(each));
  }

  /** A span of another service hangs on it, and on no other span of that id. */
  #leadsElsewhere(each: PlacedSpan): boolean {
    const key = `${each.span.traceId}/${each.span.spanId}`;
    if ((this.#bySpan.get(key) ?? []).length > 1) return false;
    return (this.#byParent.get(key) ?? []).some((child) => serviceOf(child) !== serviceOf(each));
  }

  whyNot(each: PlacedSpan): 'repeats_parent' | 'internal_span' {
    return each.reading.users.length > 0 ? 'repeats_parent' : 'internal_span';
  }

  places() {
    return [...this.#bySpan.values()].flat().map((each) => ({
      service: serviceOf(each),
      ref: { traceId: each.span.traceId, spanId: each.span.spanId },
      node: { parentSpanId: parentIn(each), isHop: this.sideOf(each) !== undefined },
    }));
  }

  #repeatsParent({ span, reading }: PlacedSpan): boolean {
    const around = this.#bySpan.get(`${span.traceId}/${span.parentSpanId}`) ?? [];
    return around.some((parent) => parent.reading.users[0]?.id === reading.users[0]?.id);
  }
}

/** OTLP span flags: "is remote" is known, and the parent is (opentelemetry.proto.trace.v1.SpanFlags). */
const PARENT_IS_REMOTE = 0x300;

const hasBoundaryKind = ({ kind }: Span): boolean => kind > SPAN_KIND.internal && kind <= SPAN_KIND.consumer;
