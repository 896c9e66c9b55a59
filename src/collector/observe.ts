import { type Observation, ObservationError, type SpanRef } from '#observation';
import type { Accounting, NotStored } from './account.ts';
import { causeOf, type SpanMemory, type SpanNode } from './cause.ts';
import { Notes } from './notes.ts';
import type { Group, LogRecord, Span } from './otlp.ts';
import { withoutOwn } from './own-telemetry.ts';
import { reporterOf, senderOf, textOf, UNKNOWN_SERVICE } from './reporter.ts';
import { type PlacedSpan, RequestSpans } from './request-spans.ts';
import { eventOf, observationOfRecord } from './sdk-record.ts';
import type { SenderCounts } from './sender-account.ts';
import { hopOfSpan, type Side } from './span-hop.ts';
import { idFault } from './trace-ids.ts';
import { readSpan } from './vocabulary/read-span.ts';
import { keepWaysUp } from './way-up.ts';

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
  const spans = new RequestSpans();
  for (const group of withoutOwn(groups, observer.accounting)) placeSpans(group, { spans, refusals, observer });
  const awaited = keepWaysUp(spans, observer.memory);
  const observations: Observation[] = [];
  const inRequest = { ...observer, idKey: Buffer.from(observer.idKey).toString('hex') };
  for (const each of spans.all) {
    const side = spans.sideOf(each);
    const { sender } = each;
    if (side === undefined) leaveOut(spans.whyNot(each), sender, observer.accounting);
    else take({ refusals, sender }, () => observations.push(hop(each, side, { spans, ...inRequest })));
  }
  const places = spans.places();
  const remember = () => {
    for (const place of places) observer.memory.remember(place.service, place, place);
    for (const each of awaited) observer.memory.await(each.service, each);
  };
  return { observations, refusals, remember };
}

function placeSpans(
  { resource, scope, records }: Group<Span>,
  { spans, refusals, observer }: { spans: RequestSpans; refusals: string[]; observer: Observer },
): void {
  const sender = observer.accounting.sender(senderOf(resource));
  sender.receive(records.length, observer.received);
  const notes = new Notes();
  const reported = { reporter: reporterOf(resource, notes), notes };
  const service = textOf(resource.attributes, 'service.name') ?? UNKNOWN_SERVICE;
  for (const span of records) {
    const fault = idFault(span);
    if (fault === undefined) spans.add({ reported, service, scope, sender, span, reading: readSpan(span) });
    else refuse(`span ${fault}`, { refusals, sender });
  }
}

interface HopMaking extends Pick<Observer, 'received' | 'memory'> {
  readonly spans: RequestSpans;
  readonly idKey: string;
}

function hop(each: PlacedSpan, side: Side, { spans, memory, received, idKey }: HopMaking): Observation {
  const { reported, scope, span, reading, service, parentSpanId } = each;
  const index = (ref: SpanRef): readonly SpanNode[] => {
    const here = spans.find(ref);
    const before = here.length > 0 ? undefined : memory.find(service, ref);
    return before === undefined ? here : [before];
  };
  const cause = causeOf({ traceId: span.traceId, spanId: span.spanId, parentSpanId }, index);
  return hopOfSpan({ reported, scope, span, reading, side }, { received, cause, idKey });
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
