import * as semconv from '@behalf/sdk/semconv';
import type { ClearParty, ExchangeObservation, HopObservation, Observation, RevocationObservation } from '#observation';

type Value = string | readonly Value[] | { readonly [name: string]: Value | undefined };

/** Observations as the SDK sends them, in OTLP/JSON, a resource each (opentelemetry-proto v1). */
export const logsRequestOf = (observations: readonly Observation[]) => ({
  resourceLogs: observations.map((observation) => ({
    resource: { attributes: attributes(resourceOf(observation)) },
    scopeLogs: [{ scope: { name: '@behalf/sdk' }, logRecords: [recordOf(observation)] }],
  })),
});

const resourceOf = ({ reporter }: Observation) => ({
  'service.name': reporter.service,
  'service.instance.id': reporter.instance,
  'deployment.environment.name': reporter.environment,
});

const recordOf = (observation: Observation) => ({
  timeUnixNano: observation.time,
  eventName: `behalf.${observation.kind}`,
  traceId: observation.trace?.traceId ?? '',
  spanId: observation.trace?.spanId ?? '',
  flags: 1,
  attributes: attributes({
    ...sharedOf(observation),
    ...ownOf(observation),
  }),
});

function ownOf(observation: Observation): Readonly<Record<string, Value | undefined>> {
  if (observation.kind === 'revocation') return revocationOf(observation);
  const { subject, actors, decision } = observation;
  return {
    [semconv.SUBJECT]: partyOf(subject),
    [semconv.ACTORS]: actors.map((actor) => partyOf(actor) ?? ''),
    [semconv.DECISION_OUTCOME]: decision?.outcome,
    [semconv.DECISION_REASON]: decision?.reason,
    ...(observation.kind === 'hop' ? hopOf(observation) : exchangeOf(observation)),
  };
}

const sharedOf = ({ id, trace, cause, absent, anomalies }: Observation) => ({
  [semconv.OBSERVATION_ID]: id,
  [semconv.PARENT_SPAN_ID]: trace?.parentSpanId,
  [semconv.CAUSE_TRACE_ID]: cause?.traceId,
  [semconv.CAUSE_SPAN_ID]: cause?.spanId,
  [semconv.ABSENT]: absent,
  [semconv.ANOMALIES]: anomalies.map(({ code, detail }) => ({ code, detail })),
});

const hopOf = (hop: HopObservation) => ({
  [semconv.HOP_SIDE]: hop.side,
  [semconv.TRANSPORT_PROTOCOL]: hop.transport.protocol,
  [semconv.TRANSPORT_PEER_SERVICE]: hop.transport.peerService,
  [semconv.TRANSPORT_PEER_ADDRESS]: hop.transport.peerAddress,
  [semconv.INITIATOR]: partyOf(hop.initiator),
  [semconv.PEER]: partyOf(hop.peer),
  [semconv.OPERATION]: hop.operation,
  [semconv.RESOURCE]: hop.resource,
  [semconv.PURPOSE]: hop.purpose,
  [semconv.SCOPES_REQUIRED]: hop.requiredScopes,
  [semconv.AUTHORITY_PROFILE]: hop.authority?.profile,
  [semconv.AUTHORITY_DIGEST]: hop.authority?.digest,
  [semconv.AUTHORITY_ISSUER]: hop.authority?.issuer,
  [semconv.AUTHORITY_AUDIENCE]: hop.authority?.audience,
  [semconv.AUTHORITY_CLIENT]: hop.authority?.client,
  [semconv.AUTHORITY_SCOPES]: hop.authority?.scopes,
  [semconv.AUTHORITY_ISSUED_AT]: hop.authority?.issuedAt,
  [semconv.AUTHORITY_NOT_BEFORE]: hop.authority?.notBefore,
  [semconv.AUTHORITY_EXPIRES_AT]: hop.authority?.expiresAt,
  [semconv.VERIFICATION_STATUS]: hop.authority?.verification.status,
  [semconv.VERIFICATION_REASON]: hop.authority?.verification.reason,
  [semconv.OUTCOME_STATUS]: hop.outcome?.status,
  [semconv.OUTCOME_CODE]: hop.outcome?.code,
});

const exchangeOf = (exchange: ExchangeObservation) => ({
  [semconv.EXCHANGE_TOKEN_IN]: exchange.tokenIn,
  [semconv.EXCHANGE_TOKEN_OUT]: exchange.tokenOut,
  [semconv.EXCHANGE_REQUESTER]: partyOf(exchange.requester),
  [semconv.EXCHANGE_ISSUER]: exchange.issuer,
  [semconv.EXCHANGE_SCOPES_HELD]: exchange.scopesHeld,
  [semconv.EXCHANGE_SCOPES_REQUESTED]: exchange.scopesRequested,
  [semconv.EXCHANGE_SCOPES_GRANTED]: exchange.scopesGranted,
});

const revocationOf = ({ target, effect, reason }: RevocationObservation) => ({
  [semconv.REVOCATION_EFFECT]: effect,
  [semconv.DECISION_REASON]: reason,
  ...('party' in target ? { [semconv.SUBJECT]: partyOf(target.party) } : { [semconv.AUTHORITY_DIGEST]: target.token }),
});

const partyOf = (party: ClearParty | undefined): Value | undefined => party && { ...party };

const attributes = (given: Readonly<Record<string, Value | undefined>>) =>
  Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]));

function anyValue(value: Value): object {
  if (typeof value === 'string') return { stringValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: attributes(value as Readonly<Record<string, Value | undefined>>) } };
}
