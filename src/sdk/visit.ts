import type { Context } from '@opentelemetry/api';
import { activeContext, withDelegation, withInboundHop } from './active-context.ts';
import { Anomalies } from './anomalies.ts';
import { boundedText } from './bounded-text.ts';
import { startTimer } from './clock.ts';
import { defined } from './defined.ts';
import { Delegation } from './delegation.ts';
import type { GuardMode, GuardRules } from './guard-rules.ts';
import { harmless } from './harmless.ts';
import type { AbsenceReason, Decision, OpenHop, Outcome } from './hop.ts';
import { type HopSpan, serverSpan } from './hop-span.ts';
import { type Identity, identify, NOBODY } from './identify.ts';
import type { InboundRequest } from './inbound-request.ts';
import { isInternalAddress } from './peer-address.ts';
import type { Complete, Recorder } from './recorder.ts';
import type { RefusalCode } from './refusal.ts';
import { askScopes, type RouteRules } from './route-rules.ts';
import * as semconv from './semconv.ts';
import { spanContextIn } from './trace-context.ts';

/** How the response ended: `sent` when all of it went out. */
interface ResponseEnd {
  readonly sent: boolean;
  readonly status: number;
}

export interface VisitOptions<R> {
  readonly request: InboundRequest;
  /** What the functions of the route's rules are given. */
  readonly native: R;
  readonly route: RouteRules<R>;
  readonly rules: GuardRules;
  readonly recorder: Recorder;
}

/** One request at the guard, from its arrival to the end of its answer: gives one observation, whatever happens. */
export class Visit<R> {
  #requiredScopes: readonly string[];
  readonly #o: VisitOptions<R>;
  readonly #span: HopSpan;
  readonly #timer = startTimer();
  readonly #anomalies = new Anomalies();
  #identity: Identity = NOBODY;
  #refused: RefusalCode | undefined;
  #decision: Decision | undefined;
  #delegation: Delegation | undefined;
  #admission: RefusalCode | undefined | Promise<RefusalCode | undefined>;
  #finished = false;
  #complete: Complete | undefined;

  constructor(o: VisitOptions<R>) {
    this.#o = o;
    const { scopes } = o.route;
    this.#requiredScopes = typeof scopes === 'function' ? [] : (scopes ?? []);
    this.#span = serverSpan(activeContext(), this.#routeName(), o.request.headers);
    this.#admission = this.#decide();
  }

  /** The decision: the reason when the request must be refused. Known at once when there is nothing new to verify. */
  get admission(): RefusalCode | undefined | Promise<RefusalCode | undefined> {
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
    const { scopes } = this.#o.route;
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
    if (this.#admission instanceof Promise) void this.#admission.then(write, write);
    else write();
  }

  #decide(): RefusalCode | undefined | Promise<RefusalCode | undefined> {
    const { request, recorder, rules } = this.#o;
    if (rules.mode === 'enforce' && recorder.refuses) return this.#conclude('recorder_full');
    const identity = identify(request, rules, this.#anomalies);
    return identity instanceof Promise ? identity.then((each) => this.#judge(each)) : this.#judge(identity);
  }

  #judge(identity: Identity): RefusalCode | undefined {
    const { route, rules } = this.#o;
    this.#identity = identity;
    this.#refused = identity.refused;
    if (identity.token !== undefined && this.#refused === undefined) this.#delegate(identity.token);
    // Not decided yet: a request whose body is refused before the scopes are known was neither permitted nor denied.
    if (typeof route.scopes === 'function' && (this.#refused === undefined || rules.mode === 'observe')) return;
    return this.#conclude(this.#refused ?? this.#scopeMissing());
  }

  #conclude(refused: RefusalCode | undefined): RefusalCode | undefined {
    this.#decision = decisionOf(refused, { isPublic: this.#o.route.public === true, mode: this.#o.rules.mode });
    return this.#decision.outcome === 'deny' ? refused : undefined;
  }

  #scopeMissing(): RefusalCode | undefined {
    const held = this.#identity.authority.scopes;
    return this.#requiredScopes.every((scope) => held?.includes(scope)) ? undefined : 'insufficient_scope';
  }

  #askScopes(ask: Exclude<RouteRules<R>['scopes'], readonly string[] | undefined>): RefusalCode | undefined {
    try {
      this.#requiredScopes = askScopes(ask, this.#o.native);
      return undefined;
    } catch {
      this.#anomalies.add('scopes_unknown', 'the scopes function of the route threw, or gave no scopes');
      return 'insufficient_scope';
    }
  }

  #delegate(token: string): void {
    const { subject, actors, authority } = this.#identity;
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
    const { subject, actors, authority, peer } = this.#identity;
    const { route, request } = this.#o;
    const address = request.remoteAddress;
    const isKept = address !== undefined && isInternalAddress(address);
    return {
      ...defined({
        parentSpanId,
        peerAddress: isKept ? address : undefined,
        subject,
        peer,
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
    const { digest, verification } = this.#identity.authority;
    this.#span.annotate({
      'http.request.method': request.method,
      'http.route': request.route,
      [semconv.VERIFICATION_STATUS]: verification.status,
      [semconv.DECISION_OUTCOME]: this.#decision?.outcome,
      [semconv.AUTHORITY_DIGEST]: digest,
    });
    this.#span.end(outcome.code?.startsWith('5') === true);
  }

  /** Method and route pattern; never the URL, which holds what the caller put there. */
  #routeName(): string {
    const { request } = this.#o;
    return `${request.method} ${request.route ?? '(no route)'}`;
  }

  /** The host's function runs in the host's request: what it throws is a missing name, not a failed answer. */
  #ask(name: 'operation' | 'resource'): string | undefined {
    const rule = this.#o.route[name];
    if (typeof rule !== 'function') return rule;
    try {
      return rule(this.#o.native);
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
