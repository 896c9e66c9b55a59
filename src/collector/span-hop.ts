import type { ClearParty, HopObservation, SpanRef } from '#observation';
import { parseObservation } from '#observation';
import { peerAddressOf } from './address.ts';
import { Notes } from './notes.ts';
import { nameObservation, type Unnamed } from './observation-key.ts';
import type { Resource, Scope, Span } from './otlp.ts';
import { SPAN_KIND, STATUS_ERROR, STATUS_OK } from './otlp.ts';
import { reporterOf, UNKNOWN_SERVICE } from './reporter.ts';
import { linksOf, parentOf } from './trace-ids.ts';
import type { SpanReading } from './vocabulary/read-span.ts';
import { given } from './vocabulary/reading.ts';
import { endTimeOf, timeOf } from './when.ts';

export type Side = HopObservation['side'];

/** A span, what its vocabularies say, and which end of a hop it is. */
export interface ReadSpan {
  readonly resource: Resource;
  readonly scope: Scope;
  readonly span: Span;
  readonly reading: SpanReading;
  readonly side: Side;
}

/**
 * Which end of a hop a span is, if one: by its kind, and for spans inside a program by what they do or whom they name. An
 * `invoke_agent` call without a server's address runs the agent in this very program: conventions before 1.37 made such
 * spans CLIENT too.
 */
export function sideOf(span: Pick<Span, 'kind'>, reading: SpanReading): Side | undefined {
  switch (span.kind) {
    case SPAN_KIND.server:
    case SPAN_KIND.consumer:
      return 'callee';
    case SPAN_KIND.client:
    case SPAN_KIND.producer:
      return reading.step === 'agent' && reading.serverAddress === undefined ? 'local' : 'caller';
    default:
      return reading.step === 'agent' || reading.step === 'tool' || reading.users.length > 0 ? 'local' : undefined;
  }
}

interface Circumstances {
  readonly received: bigint;
  readonly cause: SpanRef | undefined;
  readonly idKey: Uint8Array;
}

/** The observation a plain span amounts to. Throws ObservationError when it does not fit the schema all the same. */
export function hopOfSpan(read: ReadSpan, { received, cause, idKey }: Circumstances): HopObservation {
  const { resource, scope, span, reading, side } = read;
  const notes = new Notes();
  const reporter = reporterOf(resource, notes);
  noteLosses(span, notes);
  const time = timeOf(span.startTimeUnixNano, received, notes);
  const subject = subjectOf(reading, span, notes);
  const content = given<Omit<Unnamed, 'absent' | 'anomalies'>>({
    v: 1,
    kind: 'hop',
    time: String(time),
    endTime: endTimeOf(span.endTimeUnixNano, time, notes)?.toString(),
    received: String(received),
    reporter,
    source: given<HopObservation['source']>({
      signal: 'span',
      vocabulary: reading.vocabulary,
      scope: notes.description('source.scope', scope.name, 255),
    }),
    trace: given<NonNullable<HopObservation['trace']>>({
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: parentOf(span.parentSpanId, notes),
      flags: span.flags,
      links: linksOf(span.links, notes),
    }),
    cause,
    side,
    transport: transportOf(read, notes),
    subject,
    actors: actorsOf(read, reporter.service, notes),
    operation: notes.path('operation', reading.operation ?? span.name, 512),
    resource: notes.path('resource', resourceOf(reading, side), 512),
    outcome: outcomeOf(span, reading, notes),
  });
  const observation = { ...content, absent: notes.absent, anomalies: notes.anomalies };
  const claimed = time === span.startTimeUnixNano ? time : 0n;
  const named = nameObservation(observation, claimed, idKey);
  return parseObservation(named) as HopObservation; // it is of kind hop
}

/** What the sender says it dropped may have been an identity: absence must not read as "nobody". */
function noteLosses(span: Span, notes: Notes): void {
  if (span.droppedAttributesCount > 0) notes.miss('attributes', 'dropped_by_sdk');
  if (span.droppedLinksCount > 0) notes.miss('trace.links', 'dropped_by_sdk');
  for (const key of span.duplicateKeys)
    notes.warn('duplicate_attribute', `${key}: sent more than once; the first is kept`);
}

function subjectOf({ users }: SpanReading, span: Span, notes: Notes): ClearParty | undefined {
  const [user, ...others] = users;
  const id = notes.identifier('subject', user?.id, 2048);
  if (user === undefined) notes.miss('subject', span.droppedAttributesCount > 0 ? 'dropped_by_sdk' : 'none_observed');
  const conflicting = others.filter((other) => other.id !== user?.id);
  if (user !== undefined && conflicting.length > 0) {
    const keys = conflicting.map((other) => other.key).join(', ');
    notes.warn('subject_conflict', `${user.key} is kept; other users stand in ${keys}`);
  }
  return id === undefined ? undefined : { type: 'user', id, basis: 'attribute' };
}

/**
 * Who acts: the agent a span names, else the service that sent it. A callee's span says who was called, not who called;
 * nor does a span that calls an agent mean that agent by its name.
 */
function actorsOf({ reading, side }: ReadSpan, service: string, notes: Notes): ClearParty[] {
  if (side === 'callee') {
    notes.miss('actors', 'none_observed');
    return [];
  }
  const isOther = side === 'caller' && reading.step === 'agent';
  const agent = isOther ? undefined : notes.identifier('actors', reading.agent, 2048);
  if (agent !== undefined) return [{ type: 'ai_agent', id: agent, basis: 'attribute' }];
  // SDKs write unknown_service, or unknown_service:<program>, for every service without a name: that is nobody's name.
  if (!service.startsWith(UNKNOWN_SERVICE)) return [{ type: 'service', id: service, basis: 'resource' }];
  notes.miss('actors', 'none_observed');
  return [];
}

/** A callee that is an agent was reached as that agent. */
const resourceOf = (reading: SpanReading, side: Side): string | undefined =>
  side === 'callee' && reading.agent !== undefined ? `agent:${reading.agent}` : reading.resource;

function transportOf({ reading, side, span }: ReadSpan, notes: Notes): HopObservation['transport'] {
  const isQueued = span.kind === SPAN_KIND.producer || span.kind === SPAN_KIND.consumer;
  return given<HopObservation['transport']>({
    protocol: reading.protocol ?? (isQueued ? 'messaging' : 'unknown'),
    peerService: side === 'caller' ? notes.identifier('transport.peerService', reading.peerService, 255) : undefined,
    peerAddress: peerAddressOf(reading, side, notes),
    messageId: notes.identifier('transport.messageId', reading.messageId, 512),
    conversation: notes.identifier('transport.conversation', reading.conversation, 512),
    requestId: notes.identifier('transport.requestId', reading.requestId, 512),
  });
}

/** An unset status says nothing (OpenTelemetry trace API, "Set Status"): then the protocol's own code decides. */
function outcomeOf(span: Span, reading: SpanReading, notes: Notes): NonNullable<HopObservation['outcome']> {
  const failed = span.statusCode === STATUS_ERROR || reading.failed === true;
  const worked = span.statusCode === STATUS_OK || reading.failed === false;
  return given<NonNullable<HopObservation['outcome']>>({
    status: failed ? 'error' : worked ? 'ok' : 'unknown',
    code: notes.identifier('outcome.code', reading.code, 64),
  });
}
