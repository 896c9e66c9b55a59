import type { AnyValue } from '@opentelemetry/api';
import { parseActors } from './actors.ts';
import { Anomalies } from './anomalies.ts';
import { boundedList, boundedText } from './bounded-text.ts';
import { defined } from './defined.ts';
import { type Decision, decisionAttributes, type HopAccount, sharedAttributes } from './hop.ts';
import { type Basis, type Party, type PartyType, partyAttribute } from './party.ts';
import * as semconv from './semconv.ts';
import { subjectOf, unverifiedClaims } from './token-claims.ts';
import { tokenDigest } from './token-digest.ts';

/** A party as the program names it; `basis` says how the program knows, `attribute` by default. */
export interface NamedParty {
  readonly type: PartyType;
  readonly issuer?: string;
  readonly id: string;
  readonly basis?: Basis;
}

/** A token exchange (RFC 8693), as whoever performed or asked for it saw it. Tokens are digested at once and not kept. */
export interface Exchange {
  /** The subject token that went in. */
  readonly tokenIn: string;
  /** The token that came out; absent when refused. */
  readonly tokenOut?: string;
  readonly actorToken?: string;
  /** Who asked, as the issuer authenticated it. */
  readonly requester?: NamedParty;
  /** Default: read, unverified, from the token that came out, else from the one that went in. */
  readonly subject?: NamedParty;
  /** Oldest first. Default as `subject`. */
  readonly actors?: readonly NamedParty[];
  readonly issuer?: string;
  readonly audience?: string | readonly string[];
  readonly scopesHeld?: readonly string[];
  readonly scopesRequested?: readonly string[];
  readonly scopesGranted?: readonly string[];
  /** Default: permit when a token came out, deny when none did. */
  readonly decision?: Decision;
  /** The `traceparent` header of the request that asked, where no OpenTelemetry span is active. */
  readonly traceparent?: string;
}

/** An exchange with everything but the tokens. */
export interface ExchangeAccount
  extends Pick<
    HopAccount,
    'span' | 'parentSpanId' | 'cause' | 'startMs' | 'endMs' | 'subject' | 'actors' | 'absent' | 'anomalies'
  > {
  readonly kind: 'exchange';
  readonly tokenIn: string;
  readonly tokenOut?: string;
  readonly actorToken?: string;
  readonly requester?: Party;
  readonly issuer?: string;
  readonly audience?: readonly string[];
  readonly scopesHeld?: readonly string[];
  readonly scopesRequested?: readonly string[];
  readonly scopesGranted?: readonly string[];
  readonly decision: Decision;
}

type Seen = Omit<ExchangeAccount, 'kind' | 'span' | 'parentSpanId' | 'cause' | 'startMs' | 'endMs'>;

/** Takes what the program says of an exchange; tokens become digests here. */
export function describeExchange(exchange: Exchange): Seen {
  const anomalies = new Anomalies();
  const scopes = (values: readonly string[] | undefined, name: string) =>
    values && boundedList(values, { max: 256, maxItems: 256, name, anomalies });
  const claimed = partiesOf(exchange.tokenOut ?? exchange.tokenIn, anomalies);
  const { audience } = exchange;
  const seen = {
    tokenIn: tokenDigest(exchange.tokenIn),
    tokenOut: exchange.tokenOut === undefined ? undefined : tokenDigest(exchange.tokenOut),
    actorToken: exchange.actorToken === undefined ? undefined : tokenDigest(exchange.actorToken),
    requester: exchange.requester && named(exchange.requester, anomalies),
    subject: exchange.subject ? named(exchange.subject, anomalies) : claimed.subject,
    actors: exchange.actors?.slice(-64).flatMap((actor) => named(actor, anomalies) ?? []) ?? claimed.actors,
    issuer: boundedText(exchange.issuer, { max: 2048, name: 'issuer', anomalies }),
    audience:
      audience === undefined
        ? undefined
        : boundedList([audience].flat(), { max: 2048, maxItems: 32, name: 'audience', anomalies }),
    scopesHeld: scopes(exchange.scopesHeld, 'scopesHeld'),
    scopesRequested: scopes(exchange.scopesRequested, 'scopesRequested'),
    scopesGranted: scopes(exchange.scopesGranted, 'scopesGranted'),
    decision: decisionOf(exchange, anomalies),
  };
  return defined({ ...seen, absent: {}, anomalies: anomalies.all() });
}

/** The attributes of an exchange's log record but its identity and its ending, named by semconv.ts. */
export const exchangeAttributes = (exchange: ExchangeAccount): Record<string, AnyValue> => ({
  ...sharedAttributes(exchange),
  ...decisionAttributes(exchange.decision),
  [semconv.EXCHANGE_TOKEN_IN]: exchange.tokenIn,
  [semconv.EXCHANGE_TOKEN_OUT]: exchange.tokenOut,
  [semconv.EXCHANGE_ACTOR_TOKEN]: exchange.actorToken,
  [semconv.EXCHANGE_REQUESTER]: exchange.requester && partyAttribute(exchange.requester),
  [semconv.EXCHANGE_ISSUER]: exchange.issuer,
  [semconv.EXCHANGE_AUDIENCE]: exchange.audience,
  [semconv.EXCHANGE_SCOPES_HELD]: exchange.scopesHeld,
  [semconv.EXCHANGE_SCOPES_REQUESTED]: exchange.scopesRequested,
  [semconv.EXCHANGE_SCOPES_GRANTED]: exchange.scopesGranted,
});

function decisionOf({ decision, tokenOut }: Exchange, anomalies: Anomalies): Decision {
  const { outcome, policy, reason } = decision ?? { outcome: tokenOut === undefined ? 'deny' : 'permit' };
  return defined({
    outcome,
    policy: boundedText(policy, { max: 256, name: 'decision.policy', anomalies }),
    reason: boundedText(reason, { max: 512, name: 'decision.reason', anomalies }),
  });
}

function named(party: NamedParty, anomalies: Anomalies): Party | undefined {
  const id = boundedText(party.id, { max: 2048, name: 'party id', anomalies });
  if (id === undefined) return undefined;
  const issuer = boundedText(party.issuer, { max: 2048, name: 'party issuer', anomalies });
  return defined({ type: party.type, id, issuer, basis: party.basis ?? 'attribute' });
}

function partiesOf(token: string, anomalies: Anomalies): { subject: Party | undefined; actors: readonly Party[] } {
  const claims = unverifiedClaims(token);
  if (claims === undefined) return { subject: undefined, actors: [] };
  const subject = subjectOf(claims, { basis: 'unverified', anomalies });
  const { actors } = parseActors(claims.act, { maxDepth: 64, basis: 'unverified', issuer: subject?.issuer, anomalies });
  return { subject, actors };
}
