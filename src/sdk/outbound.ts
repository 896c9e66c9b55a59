import { propagation } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { activeContext, delegationIn, inboundHopIn, runInContext } from './active-context.ts';
import { Anomalies } from './anomalies.ts';
import { type Authority, NO_AUTHORITY } from './authority.ts';
import { boundedText } from './bounded-text.ts';
import { nowMs } from './clock.ts';
import { defined } from './defined.ts';
import type { Delegation } from './delegation.ts';
import type { Outcome } from './hop.ts';
import { activeServerSpan, clientSpan, type HopSpan } from './hop-span.ts';
import { arrangeIdentity, outboundTokens } from './outbound-token.ts';
import type { AssumedTypes } from './party.ts';
import type { Recorder } from './recorder.ts';
import * as semconv from './semconv.ts';
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

export type BehalfFetch = (
  input: string | URL | Request,
  init?: RequestInit & { behalf?: CallOptions },
) => Promise<Response>;

/**
 * `fetch` that records the caller's observation of every call, sampled or not, and lets tokens go to configured origins
 * only. Answers and errors are those of the host's own `fetch`.
 */
export const behalfFetch =
  (settings: Settings, recorder: Recorder): BehalfFetch =>
  async (input, { behalf = {}, ...init } = {}) => {
    const url = URL.parse(input instanceof Request ? input.url : String(input));
    if (url === null) return globalThis.fetch(input, init); // says itself what is wrong
    const method = (init.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
    const active = activeContext();
    const delegation = delegationIn(active);
    const anomalies = new Anomalies();
    const tokens = await outboundTokens(behalf.token, delegation, settings);
    const span = clientSpan(active, `${method} ${url.host}`);
    const { audiences } = settings;
    injectTrace(span, headers);
    arrangeIdentity(headers, tokens, { origin: url.origin, audience: behalf.audience, audiences, anomalies });
    const startMs = nowMs();
    const finish = (outcome: Outcome) => {
      const sent = sentIdentity(headers.get('authorization'), { delegation, assume: settings.assume, anomalies });
      const text = (value: string | undefined, name: string, max: number) =>
        boundedText(value, { max, name, anomalies });
      const withheld = sent.authority === NO_AUTHORITY && delegation !== undefined;
      const { ids, parentSpanId } = span;
      recorder.record({
        ...defined({
          parentSpanId,
          cause: inboundHopIn(active) ?? activeServerSpan(active),
          peerService: text(behalf.peerService, 'peerService', 255),
          peerAddress: text(url.host, 'peer address', 255),
          subject: sent.subject,
          operation: text(behalf.operation, 'operation', 512) ?? text(`${method} ${url.host}`, 'operation', 512),
          resource: text(behalf.resource, 'resource', 512),
          purpose: text(behalf.purpose, 'purpose', 512),
        }),
        kind: 'hop',
        side: 'caller',
        span: ids,
        startMs,
        endMs: nowMs(),
        protocol: 'http',
        actors: sent.actors,
        authority: sent.authority,
        outcome,
        absent: sent.subject === undefined ? { subject: withheld ? 'not_disclosed' : 'none_observed' } : {},
        anomalies: anomalies.all(),
      });
      endSpan(span, { method, url, authority: sent.authority, outcome });
    };
    try {
      const quiet = suppressTracing(span.context); // another instrumentation of fetch would write its own traceparent
      const response = await runInContext(quiet, () => globalThis.fetch(input, { ...init, headers }));
      finish({ status: response.status < 400 ? 'ok' : 'error', code: String(response.status) });
      return response;
    } catch (error) {
      finish({ status: 'error', code: codeOf(error) });
      throw error;
    }
  };

/** The host's propagators first; `traceparent` in any case, also where there is no SDK. */
function injectTrace(span: HopSpan, headers: Headers): void {
  for (const name of ['traceparent', 'tracestate']) headers.delete(name);
  propagation.inject(span.context, headers, { set: (carrier, name, value) => carrier.set(name, value) });
  if (!headers.has('traceparent')) headers.set('traceparent', formatTraceparent(span.ids));
}

/** What left in the Authorization header. The delegation's own token was verified here when it came in. */
function sentIdentity(
  authorization: string | null,
  { delegation, assume, anomalies }: { delegation: Delegation | undefined; assume: AssumedTypes; anomalies: Anomalies },
): Pick<TokenReading, 'subject' | 'actors' | 'authority'> {
  if (authorization === null) return { actors: [], authority: NO_AUTHORITY };
  const verification = { status: 'unverified' } as const;
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  // Not a token: a digest of a password could be guessed back.
  if (token === undefined) return { actors: [], authority: { profile: 'http-authorization', verification } };
  if (delegation?.authority.digest === tokenDigest(token)) return delegation;
  return readToken(token, { verification, maxActors: 64, assume, anomalies });
}

function endSpan(span: HopSpan, o: { method: string; url: URL; authority: Authority; outcome: Outcome }): void {
  const port = o.url.port === '' ? (o.url.protocol === 'https:' ? 443 : 80) : Number(o.url.port);
  span.annotate({
    'http.request.method': o.method,
    'server.address': o.url.hostname,
    'server.port': port,
    [semconv.AUTHORITY_DIGEST]: o.authority.digest,
    [semconv.OUTCOME_CODE]: o.outcome.code,
  });
  span.end(o.outcome.status === 'error');
}

/** The socket's code (ECONNREFUSED) or the error's name; never its message. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'error';
  return ('code' in cause && typeof cause.code === 'string' ? cause.code : cause.name).slice(0, 64);
}
