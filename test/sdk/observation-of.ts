import assert from 'node:assert/strict';
import * as semconv from '@behalf/sdk/semconv';
import { type Observation, parseObservation } from '#observation';

type Value = Readonly<Record<string, unknown>>;
type Attributes = ReadonlyMap<string, unknown>;

/**
 * Reads a decoded OTLP log record as semconv.ts says a collector must, into an observation of the closed schema. An
 * attribute that semconv.ts does not name, or names twice, fails the test.
 */
export function observationOf(record: unknown, resource: unknown): Observation {
  const log = record as Value & { traceId: Uint8Array; spanId: Uint8Array };
  const attributes = attributesOf(log.attributes);
  const from = attributesOf((resource as Value).attributes);
  const take = taker(attributes);
  const shared = {
    v: 1,
    id: take(semconv.OBSERVATION_ID),
    time: log.timeUnixNano,
    endTime: take(semconv.END_TIME),
    received: log.observedTimeUnixNano,
    reporter: given({
      service: from.get('service.name'),
      instance: from.get('service.instance.id'),
      environment: from.get('deployment.environment.name'),
      authenticated: 'none',
      sequence: String(take(semconv.SEQUENCE)),
    }),
    source: { signal: 'log', vocabulary: 'behalf' },
    trace: given({
      traceId: hex(log.traceId),
      spanId: hex(log.spanId),
      parentSpanId: take(semconv.PARENT_SPAN_ID),
      flags: log.flags ?? 0,
      links: [],
    }),
    cause: group({ traceId: take(semconv.CAUSE_TRACE_ID), spanId: take(semconv.CAUSE_SPAN_ID) }),
    subject: take(semconv.SUBJECT),
    actors: take(semconv.ACTORS),
    decision: group({
      outcome: take(semconv.DECISION_OUTCOME),
      policy: take(semconv.DECISION_POLICY),
      reason: take(semconv.DECISION_REASON),
    }),
    absent: take(semconv.ABSENT),
    anomalies: take(semconv.ANOMALIES),
  };
  assert.equal(log.droppedAttributesCount ?? 0, 0, 'no attribute was dropped');
  const rest = log.eventName === semconv.EVENT_HOP ? hopOf(take) : exchangeOf(log.eventName, take);
  assert.deepEqual(
    [...attributes.keys()].filter((key) => !take.taken.has(key)),
    [],
    'attributes nobody reads',
  );
  return parseObservation(given({ ...shared, ...rest }));
}

const hopOf = (take: Taker) => ({
  kind: 'hop',
  side: take(semconv.HOP_SIDE),
  transport: given({
    protocol: take(semconv.TRANSPORT_PROTOCOL),
    peerService: take(semconv.TRANSPORT_PEER_SERVICE),
    peerAddress: take(semconv.TRANSPORT_PEER_ADDRESS),
  }),
  peer: take(semconv.PEER),
  operation: take(semconv.OPERATION),
  resource: take(semconv.RESOURCE),
  requiredScopes: take(semconv.SCOPES_REQUIRED),
  purpose: take(semconv.PURPOSE),
  authority: given({
    profile: take(semconv.AUTHORITY_PROFILE),
    id: take(semconv.AUTHORITY_ID),
    transaction: take(semconv.AUTHORITY_TRANSACTION),
    digest: take(semconv.AUTHORITY_DIGEST),
    issuer: take(semconv.AUTHORITY_ISSUER),
    audience: take(semconv.AUTHORITY_AUDIENCE),
    client: take(semconv.AUTHORITY_CLIENT),
    scopes: take(semconv.AUTHORITY_SCOPES),
    issuedAt: take(semconv.AUTHORITY_ISSUED_AT),
    notBefore: take(semconv.AUTHORITY_NOT_BEFORE),
    expiresAt: take(semconv.AUTHORITY_EXPIRES_AT),
    binding: take(semconv.AUTHORITY_BINDING),
    verification: given({
      status: take(semconv.VERIFICATION_STATUS),
      reason: take(semconv.VERIFICATION_REASON),
      keyId: take(semconv.VERIFICATION_KEY_ID),
      by: take(semconv.VERIFICATION_BY),
    }),
  }),
  outcome: group({ status: take(semconv.OUTCOME_STATUS), code: take(semconv.OUTCOME_CODE) }),
});

function exchangeOf(eventName: unknown, take: Taker) {
  assert.equal(eventName, semconv.EVENT_EXCHANGE);
  return {
    kind: 'exchange',
    tokenIn: take(semconv.EXCHANGE_TOKEN_IN),
    tokenOut: take(semconv.EXCHANGE_TOKEN_OUT),
    actorToken: take(semconv.EXCHANGE_ACTOR_TOKEN),
    requester: take(semconv.EXCHANGE_REQUESTER),
    issuer: take(semconv.EXCHANGE_ISSUER),
    audience: take(semconv.EXCHANGE_AUDIENCE),
    scopesHeld: take(semconv.EXCHANGE_SCOPES_HELD),
    scopesRequested: take(semconv.EXCHANGE_SCOPES_REQUESTED),
    scopesGranted: take(semconv.EXCHANGE_SCOPES_GRANTED),
  };
}

interface Taker {
  (key: string): unknown;
  readonly taken: ReadonlySet<string>;
}

function taker(attributes: Attributes): Taker {
  const taken = new Set<string>();
  const take = (key: string): unknown => {
    taken.add(key);
    return attributes.get(key);
  };
  return Object.assign(take, { taken });
}

function attributesOf(pairs: unknown): Attributes {
  const list = pairs as { key: string; value: Value }[];
  const attributes = new Map(list.map(({ key, value }) => [key, plain(value)]));
  assert.equal(attributes.size, list.length, 'attribute keys are unique');
  return attributes;
}

/** OTLP's AnyValue as a plain value; 64-bit integers as decimal strings. */
function plain(value: Value): unknown {
  if ('arrayValue' in value) return ((value.arrayValue as { values: Value[] }).values ?? []).map(plain);
  if ('kvlistValue' in value) return Object.fromEntries(attributesOf((value.kvlistValue as Value).values));
  return value.stringValue ?? value.intValue ?? value.boolValue ?? value.doubleValue;
}

const given = (value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
const group = (value: Value): Value | undefined => (Object.keys(given(value)).length === 0 ? undefined : given(value));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
