import * as semconv from './semconv.ts';

/** One attribute: what it is, where its meaning comes from, how settled it is. */
export interface Convention {
  readonly name: string;
  readonly type: 'string' | 'int' | 'string[]' | 'map' | 'map[]';
  readonly meaning: string;
  readonly source: string;
  readonly stability: 'stable' | 'development';
}

type Row = readonly [name: string, type: Convention['type'], meaning: string, source: string, stability?: 'stable'];

const OURS = 'Behalf';
const PARTY = 'map { type, issuer?, id, basis }';

/** In the order of the page. `stable`: will not change its meaning in version 1 of the observation. */
const ROWS: readonly Row[] = [
  [semconv.OBSERVATION_ID, 'string', 'UUIDv7; the same observation sent twice carries the same', 'RFC 9562', 'stable'],
  [semconv.SEQUENCE, 'int', 'Number of the observation among those of its sender, from 1 without gaps', OURS, 'stable'],
  [
    semconv.PARENT_SPAN_ID,
    'string',
    'The caller’s span for a callee, else the enclosing span; 16 hex digits',
    'W3C Trace Context',
    'stable',
  ],
  [
    semconv.CAUSE_TRACE_ID,
    'string',
    'Trace of the inbound hop that led to this one; 32 hex digits',
    'W3C Trace Context',
    'stable',
  ],
  [
    semconv.CAUSE_SPAN_ID,
    'string',
    'Span of the inbound hop that led to this one; 16 hex digits',
    'W3C Trace Context',
    'stable',
  ],
  [semconv.END_TIME, 'string', 'When it ended, decimal nanoseconds since the Unix epoch', 'OTLP', 'stable'],
  [
    semconv.ABSENT,
    'map',
    'Field name to why it is not there: none_observed, not_disclosed, dropped_by_sdk, unsampled, redacted, unverifiable',
    OURS,
    'stable',
  ],
  [semconv.ANOMALIES, 'map[]', '{ code, detail? }: what was malformed or over a limit, kept as evidence', OURS],
  [semconv.SUBJECT, 'map', `Whose authority is used; ${PARTY}`, 'RFC 8693 section 4.1 (sub)', 'stable'],
  [
    semconv.ACTORS,
    'map[]',
    `Who acts, oldest first, the last one now; each a ${PARTY}`,
    'RFC 8693 section 4.1 (act)',
    'stable',
  ],
  [semconv.HOP_SIDE, 'string', 'caller, callee or local', OURS, 'stable'],
  [
    semconv.TRANSPORT_PROTOCOL,
    'string',
    'What carried the hop: http, grpc, rpc, mcp, a2a, messaging, tool, agent, database, unknown',
    OURS,
    'stable',
  ],
  [semconv.TRANSPORT_PEER_SERVICE, 'string', 'Name of the service on the other end', 'OpenTelemetry service.peer.name'],
  [
    semconv.TRANSPORT_PEER_ADDRESS,
    'string',
    'Address of the other end; never one on the public Internet',
    'OpenTelemetry server.address, client.address',
  ],
  [
    semconv.TRANSPORT_MESSAGE_ID,
    'string',
    'Id of the one message that crossed, as both sides know it',
    'OpenTelemetry messaging.message.id, a2a.message.id',
  ],
  [
    semconv.TRANSPORT_REQUEST_ID,
    'string',
    'Id of the request inside its conversation',
    'OpenTelemetry jsonrpc.request.id',
  ],
  [
    semconv.TRANSPORT_CONVERSATION,
    'string',
    'Conversation, session or task it belongs to; an MCP session as sha256: and its digest in hex',
    'OpenTelemetry gen_ai.conversation.id, messaging.message.conversation_id, mcp.session.id',
  ],
  [semconv.INITIATOR, 'map', `Who started it, where that is not the subject (impersonation); ${PARTY}`, OURS],
  [semconv.PEER, 'map', `What the transport authenticated on the other end; ${PARTY}`, 'RFC 8705, SPIFFE, Envoy XFCC'],
  [
    semconv.OPERATION,
    'string',
    'What is done; method and route pattern where nothing else is said',
    'OpenTelemetry http.route',
    'stable',
  ],
  [semconv.RESOURCE, 'string', 'What it is done to', OURS, 'stable'],
  [semconv.SCOPES_REQUIRED, 'string[]', 'Scopes the callee asked for', 'RFC 6749 section 3.3', 'stable'],
  [semconv.PURPOSE, 'string', 'What for', OURS],
  [
    semconv.AUTHORITY_PROFILE,
    'string',
    'Kind of credential: jwt-access-token, jwt, txn-token, jwt-svid, edge-…, opaque, none',
    OURS,
  ],
  [semconv.AUTHORITY_ID, 'string', 'Id of the token', 'RFC 7519 section 4.1.7 (jti)', 'stable'],
  [semconv.AUTHORITY_PARENT_ID, 'string', 'Id of the grant this one was derived from', 'OCSF delegation.parent_uid'],
  [semconv.AUTHORITY_TRANSACTION, 'string', 'Transaction the token belongs to', 'RFC 8417 section 2.2 (txn)', 'stable'],
  [semconv.AUTHORITY_DIGEST, 'string', 'SHA-256 of the token’s exact bytes, 64 hex digits', OURS, 'stable'],
  [semconv.AUTHORITY_ISSUER, 'string', 'Who issued the token', 'RFC 7519 section 4.1.1 (iss)', 'stable'],
  [semconv.AUTHORITY_AUDIENCE, 'string[]', 'Whom the token is for', 'RFC 7519 section 4.1.3 (aud)', 'stable'],
  [
    semconv.AUTHORITY_CLIENT,
    'string',
    'OAuth client; never an actor by itself',
    'RFC 8693 section 4.3 (client_id), OpenID Connect (azp)',
    'stable',
  ],
  [semconv.AUTHORITY_SCOPES, 'string[]', 'Scopes the token holds', 'RFC 8693 section 4.2 (scope)', 'stable'],
  [
    semconv.AUTHORITY_ISSUED_AT,
    'string',
    'Decimal nanoseconds since the Unix epoch',
    'RFC 7519 section 4.1.6 (iat)',
    'stable',
  ],
  [
    semconv.AUTHORITY_NOT_BEFORE,
    'string',
    'Decimal nanoseconds since the Unix epoch',
    'RFC 7519 section 4.1.5 (nbf)',
    'stable',
  ],
  [
    semconv.AUTHORITY_EXPIRES_AT,
    'string',
    'Decimal nanoseconds since the Unix epoch',
    'RFC 7519 section 4.1.4 (exp)',
    'stable',
  ],
  [
    semconv.AUTHORITY_BINDING,
    'string',
    'How the token is bound to its holder: bearer, dpop, mtls, wpt, httpsig',
    'RFC 6750, RFC 9449, RFC 8705, WIMSE, RFC 9421',
  ],
  [
    semconv.VERIFICATION_STATUS,
    'string',
    'verified, failed, unverified (seen, nobody checked) or absent (none came)',
    OURS,
    'stable',
  ],
  [semconv.VERIFICATION_REASON, 'string', 'Why it failed: a code', OURS],
  [semconv.VERIFICATION_KEY_ID, 'string', 'Key the signature names', 'RFC 7515 section 4.1.4 (kid)', 'stable'],
  [semconv.VERIFICATION_BY, 'string', 'Who verified', OURS],
  [semconv.DECISION_OUTCOME, 'string', 'permit or deny', 'XACML, OCSF', 'stable'],
  [semconv.DECISION_POLICY, 'string', 'Which policy decided', OURS],
  [semconv.DECISION_REASON, 'string', 'Why', OURS],
  [semconv.OUTCOME_STATUS, 'string', 'ok, error or unknown', OURS, 'stable'],
  [
    semconv.OUTCOME_CODE,
    'string',
    'HTTP status, error code of a socket, or why it is unknown',
    'OpenTelemetry http.response.status_code, error.type',
    'stable',
  ],
  [
    semconv.EXCHANGE_TOKEN_IN,
    'string',
    'SHA-256 of the subject token, 64 hex digits',
    'RFC 8693 section 2.1',
    'stable',
  ],
  [
    semconv.EXCHANGE_TOKEN_OUT,
    'string',
    'SHA-256 of the issued token; absent when refused',
    'RFC 8693 section 2.2',
    'stable',
  ],
  [semconv.EXCHANGE_ACTOR_TOKEN, 'string', 'SHA-256 of the actor token', 'RFC 8693 section 2.1', 'stable'],
  [semconv.EXCHANGE_REQUESTER, 'map', `Who asked, as the issuer authenticated it; ${PARTY}`, OURS, 'stable'],
  [semconv.EXCHANGE_ISSUER, 'string', 'Who was asked', 'RFC 7519 section 4.1.1 (iss)', 'stable'],
  [semconv.EXCHANGE_AUDIENCE, 'string[]', 'Whom the new token is for', 'RFC 8693 section 2.1', 'stable'],
  [semconv.EXCHANGE_SCOPES_HELD, 'string[]', 'Scopes of the subject token', 'RFC 8693 section 4.2', 'stable'],
  [semconv.EXCHANGE_SCOPES_REQUESTED, 'string[]', 'Scopes asked for', 'RFC 8693 section 2.1', 'stable'],
  [semconv.EXCHANGE_SCOPES_GRANTED, 'string[]', 'Scopes of the issued token', 'RFC 8693 section 2.2.1', 'stable'],
  [
    semconv.REVOCATION_EFFECT,
    'string',
    'revoked or restored: of the party that behalf.subject names, or of the token of behalf.authority.digest',
    'CAEP 1.0, RFC 7009',
  ],
];

export const CONVENTIONS = ROWS.map(
  ([name, type, meaning, source, stability]): Convention => ({
    name,
    type,
    meaning,
    source,
    stability: stability ?? 'development',
  }),
);

/** The page SEMCONV.md. */
export function formatConventions(): string {
  const rows = CONVENTIONS.map(
    ({ name, type, meaning, source, stability }) => `| \`${name}\` | ${type} | ${meaning} | ${source} | ${stability} |`,
  );
  return `# Attributes of @behalf/sdk

One OTLP log record for each observation, whatever the trace sampler decided: \`${semconv.EVENT_HOP}\` is one side's account of
one hop, \`${semconv.EVENT_EXCHANGE}\` one token exchange, \`${semconv.EVENT_REVOCATION}\` the end of a party or token.
The record's trace and span ids are the hop's own. A map holds strings. Generated from semconv-table.ts; the names are constants in \`@behalf/sdk/semconv\`.

| attribute | type | meaning | source | stability |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
