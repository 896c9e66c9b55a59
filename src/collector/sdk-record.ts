import * as semconv from '@behalf/sdk/semconv';
import { type Observation, ObservationError, parseObservation, type Reporter } from '#observation';
import { addressToKeep } from './address.ts';
import { AttributeReader } from './attribute-reader.ts';
import { capBasis, capExchangeBasis } from './grade.ts';
import { Notes } from './notes.ts';
import type { LogRecord, Resource, Scope } from './otlp.ts';
import { reporterOf, textOf } from './reporter.ts';
import { isSpanId, isTraceId, parentOf } from './trace-ids.ts';
import { given } from './vocabulary/reading.ts';
import { endTimeOf, timeOf } from './when.ts';

/** Every attribute of the SDK's records. */
export const SDK_KEYS: readonly string[] = Object.values(semconv).filter((name) => name.startsWith('behalf.'));

const EVENT_NAME = 'event.name'; // where log records carried it before OTLP 1.5

type Event = Observation['kind'];

const EVENTS: ReadonlyMap<string | undefined, Event> = new Map([
  [semconv.EVENT_HOP, 'hop'],
  [semconv.EVENT_EXCHANGE, 'exchange'],
  [semconv.EVENT_REVOCATION, 'revocation'],
]);

/** Which of the SDK's events a log record is, if one. */
export const eventOf = ({ eventName, attributes }: LogRecord): Event | undefined =>
  EVENTS.get(eventName === '' ? textOf(attributes, EVENT_NAME) : eventName);

/** Attributes of log records that are read beside the SDK's own. */
export const LOG_KEYS: readonly string[] = [EVENT_NAME];

export interface SdkRecord {
  readonly event: Event;
  readonly resource: Resource;
  readonly scope: Scope;
  readonly record: LogRecord;
}

/**
 * The observation one of the SDK's log records carries: the inverse of what `@behalf/sdk` emits (semconv). Throws
 * ObservationError for one that lacks what the schema requires; the record is refused then, by name of the field.
 */
export function observationOfRecord({ event, resource, scope, record }: SdkRecord, received: bigint): Observation {
  const notes = new Notes();
  const reader = new AttributeReader(record.attributes, notes);
  reader.absences(semconv.ABSENT);
  reader.anomalies(semconv.ANOMALIES);
  const shared = sharedFields({ resource, scope, record, reader, received });
  const own = FIELDS[event](reader);
  return parseObservation({ ...shared, ...own, absent: notes.absent, anomalies: notes.anomalies });
}

const FIELDS: Readonly<Record<Event, (reader: AttributeReader) => Record<string, unknown>>> = {
  hop: (reader) => hopFields(reader),
  exchange: (reader) => exchangeFields(reader),
  revocation: (reader) => revocationFields(reader),
};

function sharedFields(o: {
  resource: Resource;
  scope: Scope;
  record: LogRecord;
  reader: AttributeReader;
  received: bigint;
}) {
  const { record, reader, received } = o;
  const { notes } = reader;
  if (record.droppedAttributesCount > 0) notes.miss('attributes', 'dropped_by_sdk');
  for (const key of record.duplicateKeys)
    notes.warn('duplicate_attribute', `${key}: sent more than once; the first is kept`);
  const time = timeOf(record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano, received, notes);
  const end = reader.nanoseconds(semconv.END_TIME, 'endTime');
  return given<Record<string, unknown>>({
    v: 1,
    id: reader.text(semconv.OBSERVATION_ID),
    time: String(time),
    endTime: endTimeOf(BigInt(end ?? 0), time, notes)?.toString(),
    received: String(received),
    reporter: given<Reporter>({
      ...reporterOf(o.resource, notes),
      sequence: reader.nanoseconds(semconv.SEQUENCE, 'reporter.sequence'),
    }),
    source: given<Record<string, unknown>>({
      signal: 'log',
      vocabulary: 'behalf',
      scope: notes.description('source.scope', o.scope.name, 255),
    }),
    trace: traceOf(record, reader),
    cause: causeOf(reader),
  });
}

/** A log record may stand outside any trace; half a place in one is no place. */
function traceOf({ traceId, spanId, flags }: LogRecord, reader: AttributeReader) {
  if (traceId === '' && spanId === '') return undefined;
  if (!isTraceId(traceId) || !isSpanId(spanId)) {
    reader.notes.warn('invalid_trace', 'trace: expected a traceId of 16 bytes and a spanId of 8, not all zero');
    reader.notes.miss('trace', 'unverifiable');
    return undefined;
  }
  const parentSpanId = parentOf(reader.text(semconv.PARENT_SPAN_ID)?.toLowerCase() ?? '', reader.notes);
  return given<Record<string, unknown>>({ traceId, spanId, parentSpanId, flags, links: [] });
}

function causeOf(reader: AttributeReader) {
  const traceId = reader.text(semconv.CAUSE_TRACE_ID)?.toLowerCase();
  const spanId = reader.text(semconv.CAUSE_SPAN_ID)?.toLowerCase();
  if (traceId === undefined && spanId === undefined) return undefined;
  if (traceId !== undefined && spanId !== undefined && isTraceId(traceId) && isSpanId(spanId))
    return { traceId, spanId };
  reader.notes.warn('invalid_cause', 'cause: expected a traceId of 32 hex digits and a spanId of 16');
  reader.notes.miss('cause', 'unverifiable');
  return undefined;
}

function hopFields(reader: AttributeReader): Record<string, unknown> {
  const authority = authorityOf(reader);
  const cap = capBasis(authority, reader.notes);
  const subject = reader.party(semconv.SUBJECT, 'subject');
  const initiator = reader.party(semconv.INITIATOR, 'initiator');
  return given<Record<string, unknown>>({
    kind: 'hop',
    side: reader.text(semconv.HOP_SIDE),
    transport: given<Record<string, unknown>>({
      protocol: reader.text(semconv.TRANSPORT_PROTOCOL) ?? 'unknown',
      peerService: reader.identifier(semconv.TRANSPORT_PEER_SERVICE, 'transport.peerService', 255),
      peerAddress: addressToKeep(
        reader.text(semconv.TRANSPORT_PEER_ADDRESS),
        reader.text(semconv.HOP_SIDE) === 'caller' ? 'caller' : 'callee',
        reader.notes,
      ),
      messageId: reader.identifier(semconv.TRANSPORT_MESSAGE_ID, 'transport.messageId', 512),
      requestId: reader.identifier(semconv.TRANSPORT_REQUEST_ID, 'transport.requestId', 512),
      conversation: reader.identifier(semconv.TRANSPORT_CONVERSATION, 'transport.conversation', 512),
    }),
    subject: subject && cap(subject, 'subject'),
    initiator: initiator && cap(initiator, 'initiator'),
    actors: reader.parties(semconv.ACTORS, 'actors').map((actor) => cap(actor, 'actors')),
    peer: reader.party(semconv.PEER, 'peer'),
    authority,
    operation: reader.path(semconv.OPERATION, 'operation', 512),
    resource: reader.path(semconv.RESOURCE, 'resource', 512),
    requiredScopes: reader.list(semconv.SCOPES_REQUIRED, 'requiredScopes', SCOPES),
    purpose: reader.description(semconv.PURPOSE, 'purpose', 512),
    decision: decisionOf(reader),
    outcome: outcomeOf(reader),
  });
}

const SCOPES = { maxItems: 256, maxLength: 256 };
const AUDIENCES = { maxItems: 32, maxLength: 2048 };

function authorityOf(reader: AttributeReader) {
  const status = reader.text(semconv.VERIFICATION_STATUS);
  const profile = reader.identifier(semconv.AUTHORITY_PROFILE, 'authority.profile', 64);
  if (status === undefined && profile === undefined) return undefined;
  const identifier = (key: string, field: string, maxLength: number) =>
    reader.identifier(key, `authority.${field}`, maxLength);
  return given<Record<string, unknown> & { verification: Record<string, unknown> }>({
    profile: profile ?? 'unknown',
    id: identifier(semconv.AUTHORITY_ID, 'id', 512),
    parentId: identifier(semconv.AUTHORITY_PARENT_ID, 'parentId', 512),
    transaction: identifier(semconv.AUTHORITY_TRANSACTION, 'transaction', 512),
    digest: reader.text(semconv.AUTHORITY_DIGEST),
    issuer: identifier(semconv.AUTHORITY_ISSUER, 'issuer', 2048),
    audience: reader.list(semconv.AUTHORITY_AUDIENCE, 'authority.audience', AUDIENCES),
    client: identifier(semconv.AUTHORITY_CLIENT, 'client', 512),
    scopes: reader.list(semconv.AUTHORITY_SCOPES, 'authority.scopes', SCOPES),
    issuedAt: reader.nanoseconds(semconv.AUTHORITY_ISSUED_AT, 'authority.issuedAt'),
    notBefore: reader.nanoseconds(semconv.AUTHORITY_NOT_BEFORE, 'authority.notBefore'),
    expiresAt: reader.nanoseconds(semconv.AUTHORITY_EXPIRES_AT, 'authority.expiresAt'),
    binding: reader.text(semconv.AUTHORITY_BINDING),
    verification: given<Record<string, unknown>>({
      status: status ?? 'unverified',
      reason: reader.description(semconv.VERIFICATION_REASON, 'authority.verification.reason', 512),
      keyId: identifier(semconv.VERIFICATION_KEY_ID, 'verification.keyId', 512),
      by: identifier(semconv.VERIFICATION_BY, 'verification.by', 256),
    }),
  });
}

function decisionOf(reader: AttributeReader) {
  const outcome = reader.text(semconv.DECISION_OUTCOME);
  if (outcome === undefined) return undefined;
  return given<Record<string, unknown>>({
    outcome,
    policy: reader.identifier(semconv.DECISION_POLICY, 'decision.policy', 256),
    reason: reader.description(semconv.DECISION_REASON, 'decision.reason', 512),
  });
}

function outcomeOf(reader: AttributeReader) {
  const status = reader.text(semconv.OUTCOME_STATUS);
  if (status === undefined) return undefined;
  return given<Record<string, unknown>>({
    status,
    code: reader.identifier(semconv.OUTCOME_CODE, 'outcome.code', 64),
  });
}

function exchangeFields(reader: AttributeReader): Record<string, unknown> {
  const cap = capExchangeBasis(reader.notes);
  const subject = reader.party(semconv.SUBJECT, 'subject');
  return given<Record<string, unknown>>({
    kind: 'exchange',
    tokenIn: reader.text(semconv.EXCHANGE_TOKEN_IN),
    tokenOut: reader.text(semconv.EXCHANGE_TOKEN_OUT),
    actorToken: reader.text(semconv.EXCHANGE_ACTOR_TOKEN),
    subject: subject && cap(subject, 'subject'),
    actors: reader.parties(semconv.ACTORS, 'actors').map((actor) => cap(actor, 'actors')),
    requester: reader.party(semconv.EXCHANGE_REQUESTER, 'requester'),
    issuer: reader.identifier(semconv.EXCHANGE_ISSUER, 'issuer', 2048),
    audience: reader.list(semconv.EXCHANGE_AUDIENCE, 'audience', AUDIENCES),
    scopesHeld: reader.list(semconv.EXCHANGE_SCOPES_HELD, 'scopesHeld', SCOPES),
    scopesRequested: reader.list(semconv.EXCHANGE_SCOPES_REQUESTED, 'scopesRequested', SCOPES),
    scopesGranted: reader.list(semconv.EXCHANGE_SCOPES_GRANTED, 'scopesGranted', SCOPES),
    decision: decisionOf(reader),
  });
}

/** Whoever says so saw no token of that party: it is named by its word. */
function revocationFields(reader: AttributeReader): Record<string, unknown> {
  const party = reader.party(semconv.SUBJECT, 'target.party');
  const token = reader.text(semconv.AUTHORITY_DIGEST);
  if ((party === undefined) === (token === undefined)) {
    throw new ObservationError(
      `${semconv.EVENT_REVOCATION}: expected ${semconv.SUBJECT} or ${semconv.AUTHORITY_DIGEST}, got ${party === undefined ? 'neither' : 'both'}`,
    );
  }
  return given<Record<string, unknown>>({
    kind: 'revocation',
    effect: reader.text(semconv.REVOCATION_EFFECT),
    target: party === undefined ? { token } : { party: { ...party, basis: 'attribute' } },
    reason: reader.description(semconv.DECISION_REASON, 'reason', 512),
  });
}
