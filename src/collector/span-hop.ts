import type { ClearParty, HopObservation, Reporter, SpanRef } from '#observation';
import { peerAddressOf } from './address.ts';
import type { Notes } from './notes.ts';
import { type Content, idOfContent } from './observation-key.ts';
import type { Scope, Span } from './otlp.ts';
import { SPAN_KIND, STATUS_ERROR, STATUS_OK } from './otlp.ts';
import { UNKNOWN_SERVICE } from './reporter.ts';
import { linksOf, parentOf } from './trace-ids.ts';
import type { SpanReading } from './vocabulary/read-span.ts';
import { endTimeOf, timeOf } from './when.ts';

export type Side = HopObservation['side'];

/** Who reported a span, and what is to be noted of that: the same for all spans of one resource. */
export interface Reported {
  readonly reporter: Reporter;
  readonly notes: Notes;
}

/** A span, what its vocabularies say, and which end of a hop it is. */
export interface ReadSpan {
  readonly reported: Reported;
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
  /** 32 secret bytes as hex digits. */
  readonly idKey: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The observation a plain span amounts to. Everything in it passed `notes` or is one of few words, so it fits the schema
 * whatever was sent (test/collector/fuzz.ts); the ledger holds every entry against the schema in any case.
 */
export function hopOfSpan(read: ReadSpan, { received, cause, idKey }: Circumstances): HopObservation {
  const { span } = read;
  const notes = read.reported.notes.copy();
  noteLosses(span, notes);
  const time = timeOf(span.startTimeUnixNano, received, notes);
  const content = contentOf(read, time, notes);
  const id = idOfContent(content, time === span.startTimeUnixNano ? time : 0n, idKey);
  const hop: Mutable<HopObservation> = { ...content, id, time: String(time), received: String(received) };
  if (cause !== undefined) hop.cause = cause;
  return hop;
}

/** Ids depend on the order of these keys: another one stores a retry twice. */
function contentOf(read: ReadSpan, time: bigint, notes: Notes): Content {
  const { reported, span, reading, side } = read;
  const subject = subjectOf(reading, span, notes);
  const endTime = endTimeOf(span.endTimeUnixNano, time, notes);
  const source = sourceOf(read, notes);
  const trace = traceOf(span, notes);
  const transport = transportOf(read, notes);
  const actors = actorsOf(read, reported.reporter.service, notes);
  const operation = notes.path('operation', reading.operation ?? span.name, 512);
  const resource = notes.path('resource', resourceOf(reading, side), 512);
  const outcome = outcomeOf(span, reading, notes);
  return {
    v: 1,
    kind: 'hop',
    ...(endTime === undefined ? {} : { endTime: String(endTime) }),
    reporter: reported.reporter,
    source,
    trace,
    side,
    transport,
    ...(subject === undefined ? {} : { subject }),
    actors,
    ...(operation === undefined ? {} : { operation }),
    ...(resource === undefined ? {} : { resource }),
    outcome,
    absent: notes.absent,
    anomalies: notes.anomalies,
  };
}

function sourceOf({ reading, scope }: ReadSpan, notes: Notes): HopObservation['source'] {
  const source: Mutable<HopObservation['source']> = { signal: 'span', vocabulary: reading.vocabulary };
  const name = notes.description('source.scope', scope.name, 255);
  if (name !== undefined) source.scope = name;
  return source;
}

function traceOf(span: Span, notes: Notes): NonNullable<HopObservation['trace']> {
  const { traceId, spanId, flags } = span;
  const parentSpanId = parentOf(span.parentSpanId, notes);
  const links = linksOf(span.links, notes);
  return parentSpanId === undefined
    ? { traceId, spanId, flags, links }
    : { traceId, spanId, parentSpanId, flags, links };
}

/** What the sender says it dropped may have been an identity: absence must not read as "nobody". */
function noteLosses(span: Span, notes: Notes): void {
  if (span.droppedAttributesCount > 0) notes.miss('attributes', 'dropped_by_sdk');
  if (span.droppedLinksCount > 0) notes.miss('trace.links', 'dropped_by_sdk');
  for (const key of span.duplicateKeys)
    notes.warn('duplicate_attribute', `${key}: sent more than once; the first is kept`);
}

function subjectOf({ users }: SpanReading, span: Span, notes: Notes): ClearParty | undefined {
  const user = users[0];
  const id = notes.identifier('subject', user?.id, 2048);
  if (user === undefined) notes.miss('subject', span.droppedAttributesCount > 0 ? 'dropped_by_sdk' : 'none_observed');
  const conflicting = users.length < 2 ? [] : users.filter((other) => other.id !== user?.id);
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
  const transport: Mutable<HopObservation['transport']> = {
    protocol: reading.protocol ?? (isQueued ? 'messaging' : 'unknown'),
  };
  const peerService =
    side === 'caller' ? notes.identifier('transport.peerService', reading.peerService, 255) : undefined;
  if (peerService !== undefined) transport.peerService = peerService;
  const peerAddress = peerAddressOf(reading, side, notes);
  if (peerAddress !== undefined) transport.peerAddress = peerAddress;
  for (const name of ['messageId', 'conversation', 'requestId'] as const) {
    const id = reading[name] === undefined ? undefined : notes.identifier(`transport.${name}`, reading[name], 512);
    if (id !== undefined) transport[name] = id;
  }
  return transport;
}

/** An unset status says nothing (OpenTelemetry trace API, "Set Status"): then the protocol's own code decides. */
function outcomeOf(span: Span, reading: SpanReading, notes: Notes): NonNullable<HopObservation['outcome']> {
  const failed = span.statusCode === STATUS_ERROR || reading.failed === true;
  const worked = span.statusCode === STATUS_OK || reading.failed === false;
  const status = failed ? 'error' : worked ? 'ok' : 'unknown';
  const code = notes.identifier('outcome.code', reading.code, 64);
  return code === undefined ? { status } : { status, code };
}
