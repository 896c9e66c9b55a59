import type { Context } from '@opentelemetry/api';
import { activeContext, withInboundHop } from './active-context.ts';
import { Anomalies } from './anomalies.ts';
import { boundedText } from './bounded-text.ts';
import { startTimer } from './clock.ts';
import { absence, absentOf, decisionOf, outcomeOf, type ResponseEnd } from './decision.ts';
import { defined } from './defined.ts';
import { Delegation } from './delegation.ts';
import type { GuardRules } from './guard-rules.ts';
import { harmless } from './harmless.ts';
import type { Decision, OpenHop, Outcome } from './hop.ts';
import { type HopSpan, localSpan, serverSpan } from './hop-span.ts';
import { type Identity, identify, NOBODY } from './identify.ts';
import type { InboundRequest } from './inbound-request.ts';
import { isInternalAddress } from './peer-address.ts';
import { askPolicy, type Policy } from './policy.ts';
import type { Complete, Recorder } from './recorder.ts';
import type { RefusalCode } from './refusal.ts';
import { askScopes, type RouteRules } from './route-rules.ts';
import * as semconv from './semconv.ts';
import { spanContextIn } from './trace-context.ts';

export interface VisitOptions<R> {
  readonly request: InboundRequest;
  /** What the functions of the route's rules are given. */
  readonly native: R;
  readonly route: RouteRules<R>;
  readonly rules: GuardRules;
  readonly recorder: Recorder;
}

const NO_SCOPES: readonly string[] = [];

type ScopesOf<R> = Exclude<RouteRules<R>['scopes'], readonly string[] | undefined>;

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
  #described = false;
  #complete: Complete | undefined;
  /** Method and route pattern; never the URL, which holds what the caller put there. */
  readonly #routeName: string;

  constructor(o: VisitOptions<R>) {
    this.#o = o;
    const { scopes } = o.route;
    this.#requiredScopes = typeof scopes === 'function' ? NO_SCOPES : (scopes ?? NO_SCOPES);
    this.#routeName = `${o.request.method} ${o.request.route ?? '(no route)'}`;
    this.#span = serverSpan(activeContext(), this.#routeName, o.request.headers);
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
   * The second half of the decision, where there is one: the body is read now. Scopes that are a function of the request, the
   * policy, and the ledger's confirmation. Gives the reason when the request must be refused.
   */
  admitBody(): RefusalCode | undefined | Promise<RefusalCode | undefined> {
    const { route, rules } = this.#o;
    const refused = typeof route.scopes === 'function' ? this.#admitScopes(route.scopes) : undefined;
    if (refused !== undefined) return refused;
    const isAsked = rules.policy !== undefined && route.public !== true;
    return isAsked || route.confirm !== undefined ? this.#admitLate() : undefined;
  }

  /** What a function that throws would have asked for is unknown: the call stays closed. */
  #admitScopes(scopes: ScopesOf<R>): RefusalCode | undefined {
    const asked = this.#askScopes(scopes);
    return this.#conclude(this.#refused ?? asked ?? this.#scopeMissing());
  }

  async #admitLate(): Promise<RefusalCode | undefined> {
    const { policy } = this.#o.rules;
    const isOpen = this.#o.route.public === true || this.#wouldDeny();
    const refused = policy === undefined || isOpen ? undefined : await this.#admitPolicy(policy);
    return refused ?? this.#admitConfirmed();
  }

  #wouldDeny(): boolean {
    return this.#decision?.reason !== undefined;
  }

  async #admitPolicy(policy: Policy): Promise<RefusalCode | undefined> {
    const { subject, actors, peer, authority } = this.#identity;
    const operation = this.#ask('operation') ?? this.#routeName;
    const resource = this.#ask('resource');
    const { purpose } = this.#o.route;
    const scopes = authority.scopes ?? [];
    const answer = await askPolicy(policy, {
      ...defined({ subject, peer, resource, purpose }),
      actors,
      scopes,
      operation,
    });
    const refused = this.#conclude(
      answer === undefined ? 'policy_unavailable' : answer.outcome === 'deny' ? 'policy_denied' : undefined,
    );
    if (this.#decision === undefined || answer === undefined) return refused;
    const by = this.#text(answer.policy, 'decision.policy', 256);
    const reason = this.#text(answer.reason, 'decision.reason', 400);
    const why = [this.#decision.reason, reason].filter((each) => each !== undefined).join(': ');
    this.#decision = { ...this.#decision, ...(by && { policy: by }), ...(why !== '' && { reason: why }) };
    return refused;
  }

  /** Says what is about to be done, as a step of its own, and waits until the ledger has it. */
  async #admitConfirmed(): Promise<RefusalCode | undefined> {
    const { recorder, route, rules } = this.#o;
    if (route.confirm === undefined) return undefined;
    const { timeoutMs = 2_000, otherwise } = route.confirm;
    const { traceId, spanId } = this.#span.ids;
    const step = localSpan(this.#span.context, `${this.#routeName} confirmed`, this.#span.ids);
    const outcome = { status: 'unknown', code: 'not_done_yet' } as const;
    const { startMs } = this.#timer;
    const account = { ...this.#account(), span: step.ids, parentSpanId: spanId, cause: { traceId, spanId } };
    recorder.record({ ...account, side: 'local', startMs, endMs: this.#timer.endMs(), outcome });
    step.end(false);
    if (await recorder.confirm(timeoutMs)) return undefined;
    this.#anomalies.add('not_confirmed', `the ledger did not confirm within ${timeoutMs} ms`);
    return otherwise === 'refuse' && rules.mode === 'enforce' ? this.#conclude('not_confirmed') : undefined;
  }

  /** The context of the request's own code: its delegation, its inbound hop, and a span. */
  contextFrom(active: Context): Context {
    const base = spanContextIn(active) === undefined ? this.#span.context : active;
    const { traceId, spanId } = this.#span.ids;
    return withInboundHop(base, { traceId, spanId }, this.#delegation);
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
    this.#describe();
    return this.#decision.outcome === 'deny' ? refused : undefined;
  }

  #scopeMissing(): RefusalCode | undefined {
    const held = this.#identity.authority.scopes;
    return this.#requiredScopes.every((scope) => held?.includes(scope)) ? undefined : 'insufficient_scope';
  }

  #askScopes(ask: ScopesOf<R>): RefusalCode | undefined {
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
      kind: 'hop',
      side: 'callee',
      span: ids,
      parentSpanId,
      startMs: this.#timer.startMs,
      protocol: 'http',
      peerAddress: isKept ? address : undefined,
      subject,
      actors,
      peer,
      authority,
      operation: this.#text(this.#ask('operation') ?? this.#routeName, 'operation', 512),
      resource: this.#text(this.#ask('resource'), 'resource', 512),
      requiredScopes: this.#requiredScopes,
      purpose: route.purpose,
      decision: this.#decision,
      absent: absentOf(
        subject === undefined ? absence(authority.verification.status) : undefined,
        address !== undefined && !isKept,
      ),
      anomalies: this.#anomalies.all(),
    };
  }

  #endSpan(outcome: Outcome): void {
    if (!this.#described) this.#describe();
    this.#span.end(outcome.code?.startsWith('5') === true);
  }

  /** Once it is decided: the host may end its span before the answer has left. */
  #describe(): void {
    this.#described = true;
    const { request } = this.#o;
    const { digest, verification } = this.#identity.authority;
    this.#span.annotate({
      ...(this.#span.ours && { 'http.request.method': request.method, 'http.route': request.route }),
      [semconv.VERIFICATION_STATUS]: verification.status,
      [semconv.DECISION_OUTCOME]: this.#decision?.outcome,
      [semconv.AUTHORITY_DIGEST]: digest,
    });
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
