/**
 * Attribute and event names that `@behalf/sdk` sends and the collector reads: their one home. Prefix `behalf.`, beside
 * the standard names they mirror. One OTLP log record per observation; its trace and span ids are the hop's own.
 */

/** Log record event names. */
export const EVENT_HOP = 'behalf.hop';
export const EVENT_EXCHANGE = 'behalf.exchange';
export const EVENT_REVOCATION = 'behalf.revocation';

/** Every event. */
export const OBSERVATION_ID = 'behalf.observation.id'; // string, UUIDv7: the idempotency key
export const SEQUENCE = 'behalf.sequence'; // int, per sender, from 1 without gaps
export const PARENT_SPAN_ID = 'behalf.parent.span.id'; // string, 16 hex: the caller's span for a callee, the enclosing span else
export const CAUSE_TRACE_ID = 'behalf.cause.trace.id'; // string, 32 hex: the inbound hop's span that led here
export const CAUSE_SPAN_ID = 'behalf.cause.span.id'; // string, 16 hex
export const END_TIME = 'behalf.end_time_unix_nano'; // string, decimal nanoseconds
export const ABSENT = 'behalf.absent'; // map: field name -> typed reason
export const ANOMALIES = 'behalf.anomalies'; // array of maps { code, detail? }
/** Parties are maps { type, issuer?, id, basis }. */
export const SUBJECT = 'behalf.subject';
export const ACTORS = 'behalf.actors'; // array of party maps, oldest first

/** behalf.hop */
export const HOP_SIDE = 'behalf.hop.side'; // caller | callee | local
export const TRANSPORT_PROTOCOL = 'behalf.transport.protocol';
export const TRANSPORT_PEER_SERVICE = 'behalf.transport.peer.service';
export const TRANSPORT_PEER_ADDRESS = 'behalf.transport.peer.address';
export const TRANSPORT_MESSAGE_ID = 'behalf.transport.message.id'; // one message, as both sides know it
export const TRANSPORT_REQUEST_ID = 'behalf.transport.request.id'; // one request of a conversation (JSON-RPC id)
export const TRANSPORT_CONVERSATION = 'behalf.transport.conversation'; // never a secret: an MCP session as sha256:<hex>
export const INITIATOR = 'behalf.initiator'; // party map
export const PEER = 'behalf.peer'; // party map: what the transport authenticated
export const OPERATION = 'behalf.operation';
export const RESOURCE = 'behalf.resource';
export const SCOPES_REQUIRED = 'behalf.scopes.required'; // string[]
export const PURPOSE = 'behalf.purpose';
export const AUTHORITY_PROFILE = 'behalf.authority.profile'; // e.g. jwt-access-token
export const AUTHORITY_ID = 'behalf.authority.id'; // jti
export const AUTHORITY_PARENT_ID = 'behalf.authority.parent.id';
export const AUTHORITY_TRANSACTION = 'behalf.authority.transaction'; // txn
export const AUTHORITY_DIGEST = 'behalf.authority.digest'; // 64 hex: SHA-256 of the token's exact bytes
export const AUTHORITY_ISSUER = 'behalf.authority.issuer';
export const AUTHORITY_AUDIENCE = 'behalf.authority.audience'; // string[]
export const AUTHORITY_CLIENT = 'behalf.authority.client'; // client_id | azp; never an actor by itself
export const AUTHORITY_SCOPES = 'behalf.authority.scopes'; // string[]
export const AUTHORITY_ISSUED_AT = 'behalf.authority.issued_at'; // string, decimal nanoseconds
export const AUTHORITY_NOT_BEFORE = 'behalf.authority.not_before';
export const AUTHORITY_EXPIRES_AT = 'behalf.authority.expires_at';
export const AUTHORITY_BINDING = 'behalf.authority.binding'; // bearer | dpop | mtls | wpt | httpsig
export const VERIFICATION_STATUS = 'behalf.verification.status'; // verified | failed | unverified | absent
export const VERIFICATION_REASON = 'behalf.verification.reason';
export const VERIFICATION_KEY_ID = 'behalf.verification.key.id';
export const VERIFICATION_BY = 'behalf.verification.by';
export const DECISION_OUTCOME = 'behalf.decision.outcome'; // permit | deny
export const DECISION_POLICY = 'behalf.decision.policy';
export const DECISION_REASON = 'behalf.decision.reason';
export const OUTCOME_STATUS = 'behalf.outcome.status'; // ok | error | unknown
export const OUTCOME_CODE = 'behalf.outcome.code'; // string

/** behalf.exchange (RFC 8693). Decision attributes as above. */
export const EXCHANGE_TOKEN_IN = 'behalf.exchange.token_in.digest';
export const EXCHANGE_TOKEN_OUT = 'behalf.exchange.token_out.digest';
export const EXCHANGE_ACTOR_TOKEN = 'behalf.exchange.actor_token.digest';
export const EXCHANGE_REQUESTER = 'behalf.exchange.requester'; // party map
export const EXCHANGE_ISSUER = 'behalf.exchange.issuer';
export const EXCHANGE_AUDIENCE = 'behalf.exchange.audience'; // string[]
export const EXCHANGE_SCOPES_HELD = 'behalf.exchange.scopes.held'; // string[]
export const EXCHANGE_SCOPES_REQUESTED = 'behalf.exchange.scopes.requested'; // string[]
export const EXCHANGE_SCOPES_GRANTED = 'behalf.exchange.scopes.granted'; // string[]

/** behalf.revocation: of the party SUBJECT names, or of the token of AUTHORITY_DIGEST; the record's time is when. DECISION_REASON: why. */
export const REVOCATION_EFFECT = 'behalf.revocation.effect'; // revoked | restored
