import Type, { type Static, type TSchema } from 'typebox';
import { Authority, Digest, Scopes, UnixNano } from './authority.ts';
import { ClearParty, EntryParty, Text } from './party.ts';

/** The schema's version; a reader refuses a version it does not know. */
export const OBSERVATION_VERSION = 1;

/** Most actors one observation may name. Deeper `act` chains are refused at the guard and kept up to here. */
export const MAX_ACTORS = 64;

export const TraceId = Type.String({ pattern: '^(?!0{32})[0-9a-f]{32}$' });
export const SpanId = Type.String({ pattern: '^(?!0{16})[0-9a-f]{16}$' });
const SpanRef = Type.Object({ traceId: TraceId, spanId: SpanId }, { additionalProperties: false });
export type SpanRef = Static<typeof SpanRef>;

/** Who gave this account: self-asserted OpenTelemetry resource, and how the sender authenticated to the collector. */
const Reporter = Type.Object(
  {
    service: Text(255),
    namespace: Type.Optional(Text(255)),
    instance: Type.Optional(Text(255)),
    environment: Type.Optional(Text(255)),
    authenticated: Type.Enum(['none', 'key']),
    sequence: Type.Optional(UnixNano),
  },
  { additionalProperties: false },
);
export type Reporter = Static<typeof Reporter>;

const Source = Type.Object(
  { signal: Type.Enum(['log', 'span']), vocabulary: Text(64), scope: Type.Optional(Text(255)) },
  { additionalProperties: false },
);

const Trace = Type.Object(
  {
    traceId: TraceId,
    spanId: SpanId,
    parentSpanId: Type.Optional(SpanId),
    /** OTLP span flags: W3C flags in bits 0-7, 0x100 "is remote" known, 0x200 parent is remote. */
    flags: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    links: Type.Array(SpanRef, { maxItems: 128 }),
  },
  { additionalProperties: false },
);
export type Trace = Static<typeof Trace>;

/** What carried the hop, and what it says of the other end. */
const Transport = Type.Object(
  {
    protocol: Type.Enum(['http', 'grpc', 'rpc', 'mcp', 'a2a', 'messaging', 'tool', 'agent', 'database', 'unknown']),
    peerService: Type.Optional(Text(255)),
    peerAddress: Type.Optional(Text(255)),
    messageId: Type.Optional(Text(512)),
    conversation: Type.Optional(Text(512)),
    requestId: Type.Optional(Text(512)),
  },
  { additionalProperties: false },
);

/** Why something is not there. Absence is typed, never guessed (standards.md, Appendix B 7). */
export const AbsenceReason = Type.Enum([
  'none_observed',
  'not_disclosed',
  'dropped_by_sdk',
  'unsampled',
  'redacted',
  'unverifiable',
]);

/** What was malformed or over a limit, kept as evidence. */
const Anomaly = Type.Object({ code: Text(64), detail: Type.Optional(Text(512)) }, { additionalProperties: false });
export type Anomaly = Static<typeof Anomaly>;

const Decision = Type.Object(
  { outcome: Type.Enum(['permit', 'deny']), policy: Type.Optional(Text(256)), reason: Type.Optional(Text(512)) },
  { additionalProperties: false },
);
const Outcome = Type.Object(
  { status: Type.Enum(['ok', 'error', 'unknown']), code: Type.Optional(Text(64)) },
  { additionalProperties: false },
);

const shared = {
  v: Type.Literal(OBSERVATION_VERSION),
  /** UUIDv7 and idempotency key: the same observation sent twice carries the same id. */
  id: Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' }),
  /** When it happened, as the reporter claims. */
  time: UnixNano,
  endTime: Type.Optional(UnixNano),
  /** When the collector took it in. */
  received: UnixNano,
  reporter: Reporter,
  source: Source,
  trace: Type.Optional(Trace),
  /** The inbound hop's span that led here. */
  cause: Type.Optional(SpanRef),
  absent: Type.Record(Type.String({ maxLength: 64 }), AbsenceReason),
  anomalies: Type.Array(Anomaly, { maxItems: 32 }),
};

const hop = <P extends TSchema>(party: P) =>
  Type.Object(
    {
      ...shared,
      kind: Type.Literal('hop'),
      side: Type.Enum(['caller', 'callee', 'local']),
      transport: Transport,
      /** Whose authority is used. */
      subject: Type.Optional(party),
      /** Who started it, when that is not the subject (impersonation). */
      initiator: Type.Optional(party),
      /** Who acts, oldest first; the last one acts now. Hop index = position. */
      actors: Type.Array(party, { maxItems: MAX_ACTORS }),
      /** What the transport authenticated on the other end. */
      peer: Type.Optional(party),
      authority: Type.Optional(Authority),
      operation: Type.Optional(Text(512)),
      resource: Type.Optional(Text(512)),
      requiredScopes: Type.Optional(Scopes),
      purpose: Type.Optional(Text(512)),
      decision: Type.Optional(Decision),
      outcome: Type.Optional(Outcome),
    },
    { additionalProperties: false },
  );

const exchange = <P extends TSchema>(party: P) =>
  Type.Object(
    {
      ...shared,
      kind: Type.Literal('exchange'),
      /** Digest of the subject token that went in. */
      tokenIn: Digest,
      /** Digest of the token that came out; absent when refused. */
      tokenOut: Type.Optional(Digest),
      /** Digest of the actor token, when one was used (RFC 8693 section 2.1). */
      actorToken: Type.Optional(Digest),
      subject: Type.Optional(party),
      actors: Type.Array(party, { maxItems: MAX_ACTORS }),
      /** Who asked for the exchange, as the issuer authenticated it. */
      requester: Type.Optional(party),
      issuer: Type.Optional(Text(2048)),
      audience: Type.Optional(Type.Array(Text(2048), { maxItems: 32 })),
      scopesHeld: Type.Optional(Scopes),
      scopesRequested: Type.Optional(Scopes),
      scopesGranted: Type.Optional(Scopes),
      decision: Decision,
    },
    { additionalProperties: false },
  );

/** Somebody or something holds no longer, or holds again: a party was offboarded, a token revoked (CAEP, RFC 7009). `time` is when. */
const revocation = <P extends TSchema>(party: P) =>
  Type.Object(
    {
      ...shared,
      kind: Type.Literal('revocation'),
      effect: Type.Enum(['revoked', 'restored']),
      target: Type.Union([
        Type.Object({ party }, { additionalProperties: false }),
        Type.Object({ token: Digest }, { additionalProperties: false }),
      ]),
      reason: Type.Optional(Text(512)),
    },
    { additionalProperties: false },
  );

/** An observation as the collector hands it to the ledger: parties in clear, in memory only. */
export const Observation = Type.Union([hop(ClearParty), exchange(ClearParty), revocation(ClearParty)]);
export type HopObservation = Static<ReturnType<typeof hop<typeof ClearParty>>>;
export type ExchangeObservation = Static<ReturnType<typeof exchange<typeof ClearParty>>>;
export type RevocationObservation = Static<ReturnType<typeof revocation<typeof ClearParty>>>;
export type Observation = HopObservation | ExchangeObservation | RevocationObservation;

/** An observation as an entry keeps it: persons sealed. This is the closed schema of the ledger's bytes. */
export const Entry = Type.Union([hop(EntryParty), exchange(EntryParty), revocation(EntryParty)]);
export type HopEntry = Static<ReturnType<typeof hop<typeof EntryParty>>>;
export type ExchangeEntry = Static<ReturnType<typeof exchange<typeof EntryParty>>>;
export type RevocationEntry = Static<ReturnType<typeof revocation<typeof EntryParty>>>;
export type Entry = HopEntry | ExchangeEntry | RevocationEntry;
