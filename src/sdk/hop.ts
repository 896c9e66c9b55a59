import type { AnyValue } from '@opentelemetry/api';
import type { Anomaly } from './anomalies.ts';
import type { Authority } from './authority.ts';
import { unixNano } from './clock.ts';
import { type Party, partyAttribute } from './party.ts';
import * as semconv from './semconv.ts';
import type { SpanRef } from './trace-context.ts';

/** Why a field is not there; never guessed. */
export type AbsenceReason =
  | 'none_observed'
  | 'not_disclosed'
  | 'dropped_by_sdk'
  | 'unsampled'
  | 'redacted'
  | 'unverifiable';

export interface Decision {
  readonly outcome: 'permit' | 'deny';
  readonly policy?: string;
  readonly reason?: string;
}

export interface Outcome {
  readonly status: 'ok' | 'error' | 'unknown';
  readonly code?: string;
}

/** One side's account of a hop, before it has an id and a sequence number. */
export interface HopAccount {
  readonly kind: 'hop';
  readonly side: 'caller' | 'callee' | 'local';
  /** The hop's own span. */
  readonly span: SpanRef & { readonly traceFlags: number };
  readonly parentSpanId?: string | undefined;
  /** The inbound hop that led here. */
  readonly cause?: SpanRef | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly protocol: 'http';
  readonly peerService?: string | undefined;
  readonly peerAddress?: string | undefined;
  readonly subject?: Party | undefined;
  /** Oldest first. */
  readonly actors: readonly Party[];
  /** What the transport authenticated on the other end. */
  readonly peer?: Party | undefined;
  readonly authority: Authority;
  readonly operation?: string | undefined;
  readonly resource?: string | undefined;
  readonly requiredScopes?: readonly string[] | undefined;
  readonly purpose?: string | undefined;
  readonly decision?: Decision | undefined;
  readonly outcome: Outcome;
  readonly absent: Readonly<Record<string, AbsenceReason>>;
  readonly anomalies: readonly Anomaly[];
}

/** A hop's account before its ending. */
export type OpenHop = Omit<HopAccount, 'endMs' | 'outcome'>;

type AttributeMap = Record<string, AnyValue>;

/**
 * The attributes of a hop's log record but its identity, its ending and `ownAttributes`, named by semconv.ts. A member that is
 * undefined is not sent.
 */
export function hopAttributes(hop: OpenHop): AttributeMap {
  return {
    ...sharedAttributes(hop),
    [semconv.HOP_SIDE]: hop.side,
    [semconv.TRANSPORT_PROTOCOL]: hop.protocol,
    [semconv.TRANSPORT_PEER_SERVICE]: hop.peerService,
    [semconv.PEER]: hop.peer && partyAttribute(hop.peer),
    [semconv.OPERATION]: hop.operation,
    [semconv.RESOURCE]: hop.resource,
    [semconv.SCOPES_REQUIRED]: hop.requiredScopes,
    [semconv.PURPOSE]: hop.purpose,
    ...decisionAttributes(hop.decision),
  };
}

/** How it ended: what is not known before; keys and values by turns. */
export const endingAttributes = ({ endMs, outcome }: { endMs?: number; outcome?: Outcome | undefined }) =>
  [
    semconv.END_TIME,
    endMs === undefined ? undefined : unixNano(endMs),
    semconv.OUTCOME_STATUS,
    outcome?.status,
    semconv.OUTCOME_CODE,
    outcome?.code,
  ] as const;

/** What differs from one request of a caller to the next; keys and values by turns. */
export const ownAttributes = ({
  parentSpanId,
  cause,
  peerAddress,
}: Pick<HopAccount, 'parentSpanId' | 'cause' | 'peerAddress'>) =>
  [
    semconv.TRANSPORT_PEER_ADDRESS,
    peerAddress,
    semconv.PARENT_SPAN_ID,
    parentSpanId,
    semconv.CAUSE_TRACE_ID,
    cause?.traceId,
    semconv.CAUSE_SPAN_ID,
    cause?.spanId,
  ] as const;

/** What hops and exchanges have in common, but for `ownAttributes`. */
export function sharedAttributes(o: Pick<HopAccount, 'absent' | 'anomalies'>): AttributeMap {
  return {
    [semconv.ABSENT]: { ...o.absent },
    [semconv.ANOMALIES]: o.anomalies.map(({ code, detail }) => (detail === undefined ? { code } : { code, detail })),
  };
}

/** On whose behalf, through whom, by which authority: the same for every request that comes with one token. */
export const identityAttributes = (
  o: Pick<HopAccount, 'subject' | 'actors'> & Partial<Pick<HopAccount, 'authority'>>,
) => ({
  [semconv.SUBJECT]: o.subject && partyAttribute(o.subject),
  [semconv.ACTORS]: o.actors.map(partyAttribute),
  ...(o.authority && authorityAttributes(o.authority)),
});

export const decisionAttributes = (decision: Decision | undefined): AttributeMap => ({
  [semconv.DECISION_OUTCOME]: decision?.outcome,
  [semconv.DECISION_POLICY]: decision?.policy,
  [semconv.DECISION_REASON]: decision?.reason,
});

const authorityAttributes = (authority: Authority): AttributeMap => ({
  [semconv.AUTHORITY_PROFILE]: authority.profile,
  [semconv.AUTHORITY_ID]: authority.id,
  [semconv.AUTHORITY_TRANSACTION]: authority.transaction,
  [semconv.AUTHORITY_DIGEST]: authority.digest,
  [semconv.AUTHORITY_ISSUER]: authority.issuer,
  [semconv.AUTHORITY_AUDIENCE]: authority.audience,
  [semconv.AUTHORITY_CLIENT]: authority.client,
  [semconv.AUTHORITY_SCOPES]: authority.scopes,
  [semconv.AUTHORITY_ISSUED_AT]: authority.issuedAt,
  [semconv.AUTHORITY_NOT_BEFORE]: authority.notBefore,
  [semconv.AUTHORITY_EXPIRES_AT]: authority.expiresAt,
  [semconv.AUTHORITY_BINDING]: authority.binding,
  [semconv.VERIFICATION_STATUS]: authority.verification.status,
  [semconv.VERIFICATION_REASON]: authority.verification.reason,
  [semconv.VERIFICATION_KEY_ID]: authority.verification.keyId,
  [semconv.VERIFICATION_BY]: authority.verification.by,
});
