import type { Context } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import { activeContext, withDelegation, withInboundHop } from './active-context.ts';
import { Anomalies } from './anomalies.ts';
import { NO_AUTHORITY } from './authority.ts';
import { type Credential, findCredential } from './bearer-token.ts';
import { boundedText } from './bounded-text.ts';
import { startTimer } from './clock.ts';
import { defined } from './defined.ts';
import { Delegation } from './delegation.ts';
import { harmless } from './harmless.ts';
import type { AbsenceReason, Decision, OpenHop, Outcome } from './hop.ts';
import { type HopSpan, serverSpan } from './hop-span.ts';
import { isInternalAddress } from './peer-address.ts';
import type { Complete, Recorder } from './recorder.ts';
import type { RefusalCode } from './refusal.ts';
import { askScopes, type RouteRules } from './route-rules.ts';
import * as semconv from './semconv.ts';
import { spanContextIn } from './trace-context.ts';
import { readToken, type TokenReading, type TokenRules, verifyToken } from './verify-token.ts';

export type GuardMode = 'enforce' | 'observe';

/** How the response ended: `sent` when all of it went out. */
interface ResponseEnd {
  readonly sent: boolean;
  readonly status: number;
}

/** One request at the guard, from its arrival to the end of its answer: gives one observation, whatever happens. */
export class Visit {
  #requiredScopes: readonly string[];
  readonly #o: { request: FastifyRequest; rules: TokenRules; mode: GuardMode; recorder: Recorder };
  readonly #route: RouteRules;
  readonly #span: HopSpan;
  readonly #timer = startTimer();
  readonly #anomalies = new Anomalies();
  #reading: TokenReading = { actors: [], authority: NO_AUTHORITY };
  #refused: RefusalCode | undefined;
  #decision: Decision | undefined;
  #delegation: Delegation | undefined;
  #admission: Promise<RefusalCode | undefined> | undefined;
  #finished = false;
  #complete: Complete | undefined;

  constructor(o: { request: FastifyRequest; rules: TokenRules; mode: GuardMode; recorder: Recorder }) {
    this.#o = o;
    this.#route = o.request.routeOptions.config.behalf ?? {};
    this.#requiredScopes = typeof this.#route.scopes === 'function' ? [] : (this.#route.scopes ?? []);
    this.#span = serverSpan(activeContext(), this.#routeName(), o.request.headers);
  }

  /** Decides. Resolves with the reason when the request must be refused. */
  admit(): Promise<RefusalCode | undefined> {
    this.#admission ??= this.#decide();
    return this.#admission;
  }

  get requiredScopes(): readonly string[] {
    return this.#requiredScopes;
  }

  /**
   * The second half of the decision, where the route's scopes are a function of the request and its body is now read.
   * Gives the reason when the request must be refused. What a function that throws would have asked for is unknown: the
   * call stays closed.
   */
  admitBody(): RefusalCode | undefined {
    const { scopes } = this.#route;
    if (typeof scopes !== 'function') return undefined;
    const asked = this.#askScopes(scopes);
    return this.#conclude(this.#refused ?? asked ?? this.#scopeMissing());
  }

  /** The context of the request's own code: its delegation, its inbound hop, and a span. */
  contextFrom(active: Context): Context {
    const base = spanContextIn(active) === undefined ? this.#span.context : active;
    const { traceId, spanId } = this.#span.ids;
    const inbound = withInboundHop(base, { traceId, spanId });
    return this.#delegation === undefined ? inbound : withDelegation(inbound, this.#delegation);
  }

  /**
   * The answer is about to leave: with a spool the observation is written before, all but its ending, so that no answered
   * request is unknown after a crash. Gives what the answer must wait for, if anything.
   */
  answering(): Promise<void> | undefined {
    const { recorder } = this.#o;
    if (!recorder.spools || this.#finished || this.#complete !== undefined) return undefined;
    this.#complete = harmless('recording a visit', () => recorder.hold(this.#account()));
    return recorder.durable();
  }

  /** Records the observation; a second call does nothing. A client may leave before the decision is made. */
  finish(response: ResponseEnd): void {
    if (this.#finished) return;
    this.#finished = true;
    const outcome = outcomeOf(response);
    const write = () => harmless('recording a visit', () => this.#write(outcome));
    void this.admit().then(write, write);
  }

  async #decide(): Promise<RefusalCode | undefined> {
    const { request, recorder } = this.#o;
    if (this.#o.mode === 'enforce' && recorder.refuses) return this.#conclude('recorder_full');
    const credential = findCredential(request.raw.rawHeaders, request.raw.url ?? '');
    this.#reading = await this.#read(credential);
    this.#refused = this.#reading.refused ?? (credential.kind === 'none' ? 'token_missing' : undefined);
    if (credential.kind === 'token' && this.#refused === undefined) this.#delegate(credential.token);
    // Not decided yet: a request whose body is refused before the scopes are known was neither permitted nor denied.
    if (typeof this.#route.scopes === 'function' && (this.#refused === undefined || this.#o.mode === 'observe')) return;
    return this.#conclude(this.#refused ?? this.#scopeMissing());
  }

  #read(credential: Credential): TokenReading | Promise<TokenReading> {
    const { rules } = this.#o;
    if (credential.kind === 'none') return this.#reading;
    if (credential.kind === 'token') return verifyToken(credential.token, rules, this.#anomalies);
    const verification = { status: 'failed', reason: credential.code, by: rules.by } as const;
    const refused = { refused: credential.code };
    const { token } = credential;
    if (token === undefined) return { actors: [], authority: { profile: 'unreadable', verification }, ...refused };
    return { ...readToken(token, { ...rules, verification, anomalies: this.#anomalies }), ...refused };
  }

  #conclude(refused: RefusalCode | undefined): RefusalCode | undefined {
    this.#decision = decisionOf(refused, { isPublic: this.#route.public === true, mode: this.#o.mode });
    return this.#decision.outcome === 'deny' ? refused : undefined;
  }

  #scopeMissing(): RefusalCode | undefined {
    const held = new Set(this.#reading.authority.scopes);
    return this.#requiredScopes.every((scope) => held.has(scope)) ? undefined : 'insufficient_scope';
  }

  #askScopes(ask: Exclude<RouteRules['scopes'], readonly string[] | undefined>): RefusalCode | undefined {
    try {
      this.#requiredScopes = askScopes(ask, this.#o.request);
      return undefined;
    } catch {
      this.#anomalies.add('scopes_unknown', 'the scopes function of the route threw, or gave no scopes');
      return 'insufficient_scope';
    }
  }

  #delegate(token: string): void {
    const { subject, actors, authority } = this.#reading;
    const { traceId, spanId } = this.#span.ids;
    this.#delegation = new Delegation({ subject, actors, authority, hop: { traceId, spanId }, token });
  }

  #write(outcome: Outcome): void {
    const ending = { endMs: this.#timer.endMs(), outcome };
    if (this.#complete === undefined) this.#o.recorder.record({ ...this.#account(), ...ending });
    else this.#complete(ending);
    this.#endSpan(outcome);
  }

  #account(): OpenHop {
    const { ids, parentSpanId } = this.#span;
    const { subject, actors, authority } = this.#reading;
    const route = this.#route;
    const address = this.#o.request.socket.remoteAddress;
    const isKept = address !== undefined && isInternalAddress(address);
    return {
      ...defined({
        parentSpanId,
        peerAddress: isKept ? address : undefined,
        subject,
        operation: this.#text(this.#ask('operation') ?? this.#routeName(), 'operation', 512),
        resource: this.#text(this.#ask('resource'), 'resource', 512),
        purpose: route.purpose,
        decision: this.#decision,
      }),
      kind: 'hop',
      side: 'callee',
      span: ids,
      startMs: this.#timer.startMs,
      protocol: 'http',
      actors,
      authority,
      requiredScopes: this.#requiredScopes,
      absent: {
        ...(subject === undefined && { subject: absence(authority.verification.status) }),
        ...(address !== undefined && !isKept && { 'transport.peerAddress': 'redacted' }),
      },
      anomalies: this.#anomalies.all(),
    };
  }

  #endSpan(outcome: Outcome): void {
    const { request } = this.#o;
    const { digest, verification } = this.#reading.authority;
    this.#span.annotate({
      'http.request.method': request.method,
      'http.route': request.routeOptions.url,
      [semconv.VERIFICATION_STATUS]: verification.status,
      [semconv.DECISION_OUTCOME]: this.#decision?.outcome,
      [semconv.AUTHORITY_DIGEST]: digest,
    });
    this.#span.end(outcome.code?.startsWith('5') === true);
  }

  /** Method and route pattern; never the URL, which holds what the caller put there. */
  #routeName(): string {
    const { request } = this.#o;
    return `${request.method} ${request.routeOptions.url ?? '(no route)'}`;
  }

  /** The host's function runs in the host's request: what it throws is a missing name, not a failed answer. */
  #ask(name: 'operation' | 'resource'): string | undefined {
    const rule = this.#route[name];
    if (typeof rule !== 'function') return rule;
    try {
      return rule(this.#o.request);
    } catch {
      this.#anomalies.add(`${name}_unknown`, `the ${name} function of the route threw`);
      return undefined;
    }
  }

  #text(value: string | undefined, name: string, max: number): string | undefined {
    return boundedText(value, { max, name, anomalies: this.#anomalies });
  }
}

/** What the guard decided, under the policy by which it did. */
function decisionOf(
  refused: RefusalCode | undefined,
  { isPublic, mode }: { isPublic: boolean; mode: GuardMode },
): Decision {
  if (isPublic) return { outcome: 'permit', policy: 'behalf-guard/public' };
  if (refused === undefined) return { outcome: 'permit', policy: `behalf-guard/${mode}` };
  if (mode === 'observe') return { outcome: 'permit', policy: 'behalf-guard/observe', reason: `would_deny:${refused}` };
  return { outcome: 'deny', policy: 'behalf-guard/enforce', reason: refused };
}

function outcomeOf({ sent, status }: ResponseEnd): Outcome {
  if (!sent) return { status: 'unknown', code: 'response_not_completed' };
  return { status: status < 400 ? 'ok' : 'error', code: String(status) };
}

const absence = (status: string): AbsenceReason => (status === 'absent' ? 'none_observed' : 'unverifiable');
