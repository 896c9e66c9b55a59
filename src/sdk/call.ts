import { type Context, propagation } from '@opentelemetry/api';
import { activeContext, delegationIn, inboundHopIn } from './active-context.ts';
import { Anomalies } from './anomalies.ts';
import { NO_AUTHORITY } from './authority.ts';
import { boundedText } from './bounded-text.ts';
import { startTimer, type Timer } from './clock.ts';
import { defined } from './defined.ts';
import type { Delegation } from './delegation.ts';
import { harmless } from './harmless.ts';
import type { HopAccount, Outcome } from './hop.ts';
import { activeServerSpan, clientSpan, type HopSpan } from './hop-span.ts';
import { arrangeIdentity, outboundTokens, ownToken } from './outbound-token.ts';
import type { AssumedTypes } from './party.ts';
import type { Settings } from './settings.ts';
import { tokenDigest } from './token-digest.ts';
import { formatTraceparent } from './trace-context.ts';
import { readToken, type TokenReading } from './verify-token.ts';

/** What a call can say of itself. */
export interface CallOptions {
  /** The token to send, such as one that was exchanged for this call; the delegation's by default. */
  readonly token?: string;
  /** The audience the token must name; the one configured for the origin by default. */
  readonly audience?: string;
  /** What the call does; method and host by default. */
  readonly operation?: string;
  readonly resource?: string;
  readonly purpose?: string;
  /** The called service's name; its host and port stand in the observation in any case. */
  readonly peerService?: string;
}

export type CallInput = string | URL | Request;
/** An outbound call that is ready to be sent. */
export interface Call {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly span: HopSpan;
  readonly options: CallOptions;
  readonly timer: Timer;
  readonly delegation: Delegation | undefined;
  readonly assume: AssumedTypes;
  readonly anomalies: Anomalies;
  /** The context the call is made from. */
  readonly active: Context;
}

/** Gives the call its span, its trace headers and the identity it may carry; undefined when there is no URL to call. */
export async function prepareCall(o: {
  input: CallInput;
  init: RequestInit;
  options: CallOptions;
  settings: Settings;
}): Promise<Call | undefined> {
  const { input, init, options, settings } = o;
  const request = input instanceof Request ? input : undefined;
  const url = URL.parse(request?.url ?? String(input));
  if (url === null) return undefined;
  const method = (init.method ?? request?.method ?? 'GET').toUpperCase();
  const headers = new Headers(init.headers ?? request?.headers);
  const anomalies = new Anomalies();
  const own = await ownToken(settings.token, anomalies);
  return startCall({ url, method, headers, options, settings, anomalies, own });
}

/** The same where the service's own token is at hand; `headers` is changed. */
export function startCall(o: {
  url: URL;
  method: string;
  headers: Headers;
  options: CallOptions;
  settings: Settings;
  anomalies: Anomalies;
  own: string | undefined;
}): Call {
  const { url, method, headers, options, settings, anomalies } = o;
  const active = activeContext();
  const delegation = delegationIn(active);
  const span = clientSpan(active, `${method} ${url.host}`);
  injectTrace(span, headers);
  arrangeIdentity(headers, outboundTokens(options.token, delegation, o.own), {
    origin: url.origin,
    audience: options.audience,
    audiences: settings.audiences,
    anomalies,
  });
  const { assume } = settings;
  return { url, method, headers, span, options, timer: startTimer(), delegation, assume, anomalies, active };
}

/** The caller's account of a call that has ended. The path is left out: it holds what the program puts there. */
export function describeCall(call: Call, outcome: Outcome): HopAccount {
  const { url, options, delegation, anomalies, active, span } = call;
  const sent = sentIdentity(call);
  const text = (value: string | undefined, name: string, max: number) => boundedText(value, { max, name, anomalies });
  const withheld = sent.authority === NO_AUTHORITY && delegation !== undefined;
  return {
    ...defined({
      parentSpanId: span.parentSpanId,
      cause: inboundHopIn(active) ?? activeServerSpan(active),
      peerService: text(options.peerService, 'peerService', 255),
      peerAddress: text(url.host, 'peer address', 255),
      subject: sent.subject,
      operation: text(options.operation ?? `${call.method} ${url.host}`, 'operation', 512),
      resource: text(options.resource, 'resource', 512),
      purpose: text(options.purpose ?? delegation?.purpose, 'purpose', 512),
    }),
    kind: 'hop',
    side: 'caller',
    span: span.ids,
    startMs: call.timer.startMs,
    endMs: call.timer.endMs(),
    protocol: 'http',
    actors: sent.actors,
    authority: sent.authority,
    outcome,
    absent: sent.subject === undefined ? { subject: withheld ? 'not_disclosed' : 'none_observed' } : {},
    anomalies: anomalies.all(),
  };
}

/** The host's propagators first; `traceparent` in any case, also where there is no SDK. */
function injectTrace(span: HopSpan, headers: Headers): void {
  for (const name of ['traceparent', 'tracestate']) headers.delete(name);
  harmless('writing trace headers', () =>
    propagation.inject(span.context, headers, { set: (carrier, name, value) => carrier.set(name, value) }),
  );
  if (!headers.has('traceparent')) headers.set('traceparent', formatTraceparent(span.ids));
}

/** What left in the Authorization header, or as a Txn-Token. The delegation's own token was verified here when it came in. */
function sentIdentity({ headers, delegation, assume, anomalies }: Call): Omit<TokenReading, 'refused'> {
  const authorization = headers.get('authorization');
  const txnToken = headers.get('txn-token');
  if (txnToken !== null && delegation?.authority.digest === tokenDigest(txnToken)) return delegation;
  if (authorization === null) return { actors: [], authority: NO_AUTHORITY };
  const verification = { status: 'unverified' } as const;
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  // Not a token: a digest of a password could be guessed back.
  if (token === undefined) return { actors: [], authority: { profile: 'http-authorization', verification } };
  if (delegation?.authority.digest === tokenDigest(token)) return delegation;
  return readToken(token, { verification, maxActors: 64, assume, anomalies });
}
