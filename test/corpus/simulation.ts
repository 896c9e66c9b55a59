import { type Outgoing, requestsOf } from './otlp.ts';
import type { Random } from './random.ts';
import { exchangeOf, logOf, type Protocol, type Report, spanOf, type Token } from './report.ts';
import type { Call, Scenario, Told } from './truth.ts';

/** How badly a scenario is observed; probabilities from 0 to 1. */
export interface Weather {
  /** A call's trace context does not reach the callee. */
  readonly wireLost: number;
  /** A program loses its own context between what it serves and what it calls. */
  readonly processLost: number;
  /** A record is lost on its way. */
  readonly recordLost: number;
  /** An issuer sees an exchange without its trace. */
  readonly exchangeStray: number;
  /** A trace is not sampled: its spans are never sent, the SDK's records are. */
  readonly unsampled: number;
  /** Span ids come from a pool of so few that they repeat inside a trace; 0: they never repeat. */
  readonly idsReused: number;
}

export interface Service {
  readonly name: string;
  readonly instance: string | undefined;
  /** `sdk`: our records, and spans besides; `plain`: spans; `silent`: passes context on and reports nothing. */
  readonly style: 'sdk' | 'plain' | 'silent';
  readonly skewNs: bigint;
}

/** A service at work on one call. */
export interface Handling {
  readonly call: number;
  readonly root: number;
  readonly service: Service;
  readonly traceId: string;
  readonly spanId: string;
  /** The span the service was entered by: what its SDK names as the cause. */
  readonly entered: { readonly traceId: string; readonly spanId: string };
  readonly isSampled: boolean;
  readonly token: Token | undefined;
}

export interface CallOptions {
  readonly protocol?: Protocol;
  /** `derive`: exchanged unseen; the new token names the old one's id as its parent. */
  readonly token?: 'exchange' | 'derive' | 'pass' | 'none' | Minted;
  readonly conversation?: string;
  /** How a trace goes on at the callee where its context is lost on the wire. */
  readonly restart?: 'bare' | 'link' | 'message';
  readonly wire?: 'lost' | 'kept';
  readonly namesPeer?: boolean;
  readonly process?: 'lost' | 'kept' | 'unobserved';
  readonly spanId?: string;
}

/** A token fresh from an exchange, and what is known of where it was made. */
export interface Minted {
  readonly token: Token;
  readonly placedUnder: string | undefined;
  readonly isTold: boolean;
  readonly namesParent?: boolean;
}

interface Trail {
  readonly id: number;
  readonly parent: number | undefined;
  readonly root: number;
  readonly token: Token | undefined;
  readonly minted: Minted | undefined;
  readonly keys: { readonly caller: string | undefined; readonly callee: string };
  readonly isWireKept: boolean;
  readonly pointsAt: string | undefined; // span key that the caller's reports name as where it came from
  callerLog: boolean;
  callerSpan: boolean;
  calleeLog: boolean;
  calleeSpan: boolean;
}

const BASE = 1_793_439_700_000_000_000n;

/** Runs calls and writes down apart what happened and what was reported of it. */
export class Simulation {
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #sent: Outgoing[] = [];
  readonly #trails: Trail[] = [];
  readonly #told = new Map<string, Told>();
  readonly #endsAt = new Map<string, Set<string>>();
  readonly #answersTo = new Map<string, Set<string>>();
  #clock = 0n;

  constructor(random: Random, weather: Weather) {
    this.#random = random;
    this.#weather = weather;
  }

  /** A call from outside, by nobody who reports. `traceId` where several requests come in one trace. */
  enter(
    to: Service,
    o: { token?: Token; protocol?: Protocol; traceId?: string; parentSpanId?: string; conversation?: string } = {},
  ): Handling {
    const traceId = o.traceId ?? this.#random.hex(32);
    const spanId = this.#newSpanId();
    const id = this.#trails.length;
    const isSampled = !this.#random.chance(this.#weather.unsampled);
    const trail: Trail = {
      ...{ id, parent: undefined, root: id, token: o.token, minted: undefined, isWireKept: false },
      ...{ pointsAt: undefined, keys: { caller: undefined, callee: `${traceId}/${spanId}` } },
      ...{ callerLog: false, callerSpan: false, calleeLog: false, calleeSpan: false },
    };
    this.#trails.push(trail);
    const report = this.#report({
      ...{ side: 'callee', traceId, spanId, parentSpanId: o.parentSpanId, isSampled, token: o.token },
      ...{ protocol: o.protocol ?? 'http', conversation: o.conversation },
    });
    [trail.calleeLog, trail.calleeSpan] = this.#tell(to, report, { kind: 'callee', call: id });
    const entered = { traceId, spanId };
    return { call: id, root: id, service: to, traceId, spanId, entered, isSampled, token: o.token };
  }

  /** A step inside the service that its own framework traces. */
  step(at: Handling, agent?: string): Handling {
    const spanId = this.#newSpanId();
    const report = this.#report({
      ...{ side: 'local', traceId: at.traceId, spanId, parentSpanId: at.spanId, isSampled: at.isSampled },
      ...{ agent: agent ?? at.service.name, token: undefined },
    });
    const [, isTold] = this.#tell({ ...at.service, style: 'plain' }, report, { kind: 'local', within: at.call });
    return isTold ? { ...at, spanId } : at;
  }

  /** The service exchanges the token it was given for one of its own to pass on (RFC 8693). */
  exchange(at: Handling, tokenIn: Token): Minted {
    const tokenOut = { ...tokenIn, digest: this.#random.hex(64), actors: [...tokenIn.actors, at.service.name] };
    const isStray = this.#random.chance(this.#weather.exchangeStray);
    const isTold = !this.#random.chance(this.#weather.recordLost);
    const time = this.#now(0n);
    if (isTold) {
      this.#told.set(String(time), { kind: 'exchange', within: at.call });
      const [traceId, spanId] = [isStray ? this.#random.hex(32) : at.traceId, this.#newSpanId()];
      note(this.#endsAt, `${traceId}/${spanId}`, `exchange ${time}`);
      const parentSpanId = isStray ? undefined : at.spanId;
      const record = exchangeOf({ id: this.#uuid(time), time, tokenIn, tokenOut, traceId, spanId, parentSpanId });
      this.#sent.push({ signal: 'logs', service: 'idp', instance: undefined, record });
    }
    return { token: tokenOut, isTold, placedUnder: isStray ? undefined : `${at.traceId}/${at.spanId}` };
  }

  /** The same, at an issuer nobody hears from: the token itself says what it was made from. */
  derive(at: Handling, tokenIn: Token): Minted {
    const named = tokenIn.id === undefined ? {} : { parentId: tokenIn.id };
    const actors = [...tokenIn.actors, at.service.name];
    const token = { digest: this.#random.hex(64), user: tokenIn.user, actors, id: this.#random.hex(16), ...named };
    return { token, isTold: false, placedUnder: undefined, namesParent: tokenIn.id !== undefined };
  }

  /** One service calls another. Returns the callee at work. */
  call(from: Handling, to: Service, o: CallOptions = {}): Handling {
    const random = this.#random;
    const protocol = o.protocol ?? 'http';
    const id = this.#trails.length;
    const minted = this.#mint(from, o);
    const token = minted?.token ?? (o.token === 'pass' || o.token === undefined ? from.token : undefined);
    const place = this.#placeOf(from, o);
    const spanId = o.spanId ?? this.#newSpanId();
    const isKept = o.wire === 'kept' || (o.wire !== 'lost' && !random.chance(this.#weather.wireLost));
    const restart = o.restart ?? 'bare';
    const messageId = restart === 'message' ? `${random.hex(12)}/${random.between(1, 9)}` : undefined;
    const calleeTrace = isKept ? place.traceId : random.hex(32);
    const calleeSpan = this.#newSpanId();
    const trail: Trail = {
      ...{ id, parent: from.call, root: from.root, token, minted, isWireKept: isKept, pointsAt: place.pointsAt },
      keys: { caller: `${place.traceId}/${spanId}`, callee: `${calleeTrace}/${calleeSpan}` },
      ...{ callerLog: false, callerSpan: false, calleeLog: false, calleeSpan: false },
    };
    this.#trails.push(trail);
    const isSampled = from.isSampled;
    const sent = this.#report({
      ...{ side: 'caller', traceId: place.traceId, spanId, parentSpanId: place.parentSpanId, cause: place.cause },
      ...{ isSampled, protocol, token, messageId, conversation: o.conversation },
      ...{ peer: (o.namesPeer ?? random.chance(0.7)) ? to.name : undefined },
    });
    [trail.callerLog, trail.callerSpan] = this.#tell(from.service, sent, { kind: 'caller', call: id });
    const received = this.#report({
      ...{ side: 'callee', traceId: calleeTrace, spanId: calleeSpan, parentSpanId: isKept ? spanId : undefined },
      ...{ isSampled: isKept ? isSampled : !random.chance(this.#weather.unsampled), protocol, token, messageId },
      conversation: o.conversation,
      links: !isKept && restart === 'link' ? [{ traceId: place.traceId, spanId }] : [],
    });
    [trail.calleeLog, trail.calleeSpan] = this.#tell(to, received, { kind: 'callee', call: id });
    const entered = { traceId: calleeTrace, spanId: calleeSpan };
    return { call: id, root: from.root, service: to, ...entered, entered, isSampled: received.isSampled, token };
  }

  #mint(from: Handling, o: CallOptions): Minted | undefined {
    if (typeof o.token === 'object') return o.token;
    if (o.token === 'derive' && from.token !== undefined) return this.derive(from, from.token);
    return o.token === 'exchange' && from.token !== undefined ? this.exchange(from, from.token) : undefined;
  }

  /** Where a caller's span hangs: under what it serves, or nowhere when the program lost its context. */
  #placeOf(from: Handling, o: CallOptions) {
    const nowhere = { parentSpanId: undefined, cause: undefined, pointsAt: undefined };
    if (o.process === 'unobserved') return { ...nowhere, traceId: from.traceId, parentSpanId: this.#random.hex(16) };
    const isLost = o.process === 'lost' || (o.process !== 'kept' && this.#random.chance(this.#weather.processLost));
    if (isLost) return { ...nowhere, traceId: this.#random.hex(32) };
    const { traceId, spanId: parentSpanId, entered: cause } = from;
    return { traceId, parentSpanId, cause, pointsAt: `${cause.traceId}/${cause.spanId}` };
  }

  #report(given: Partial<Report> & Pick<Report, 'side' | 'traceId' | 'spanId' | 'isSampled'>): Report {
    return {
      ...{ id: '', time: 0n, parentSpanId: undefined, cause: undefined, protocol: 'http', peer: undefined },
      ...{ operation: 'POST /do', token: undefined, links: [], messageId: undefined, agent: undefined },
      conversation: undefined,
      ...given,
    };
  }

  /** Sends what the service would send of it: [a log record went out, a span went out]. */
  #tell(service: Service, report: Report, told: Told): readonly [boolean, boolean] {
    const { style, name, instance, skewNs } = service;
    const arrives = () => !this.#random.chance(this.#weather.recordLost);
    const hasLog = style === 'sdk' && arrives();
    const hasSpan =
      report.isSampled && (style === 'plain' || (style === 'sdk' && this.#random.chance(0.5))) && arrives();
    const send = (signal: Outgoing['signal']) => {
      const time = this.#now(skewNs);
      this.#told.set(String(time), told);
      const timed = { ...report, time, id: this.#uuid(time) };
      this.#sent.push({ signal, service: name, instance, record: signal === 'logs' ? logOf(timed) : spanOf(timed) });
    };
    if (hasLog) send('logs');
    if (hasSpan) send('traces');
    if (!hasLog && !hasSpan) return [false, false];
    const { traceId, spanId, parentSpanId } = report;
    note(this.#endsAt, `${traceId}/${spanId}`, JSON.stringify(told));
    if (told.kind === 'callee' && parentSpanId !== undefined) note(this.#answersTo, `${traceId}/${parentSpanId}`, name);
    return [hasLog, hasSpan];
  }

  /** Every report at a time of its own, so that truth can name it. */
  #now(skewNs: bigint): bigint {
    this.#clock += BigInt(this.#random.between(10_000, 900_000));
    let time = BASE + this.#clock + skewNs;
    while (this.#told.has(String(time))) time += 1n;
    return time;
  }

  #uuid = (time: bigint): string => {
    const at = (time / 1_000_000n).toString(16).padStart(12, '0');
    return `${at.slice(0, 8)}-${at.slice(8)}-7${this.#random.hex(3)}-8${this.#random.hex(3)}-${this.#random.hex(12)}`;
  };

  #newSpanId = (): string =>
    this.#weather.idsReused > 0
      ? `0000000000000${this.#random.between(256, 256 + this.#weather.idsReused).toString(16)}`
      : this.#random.hex(16);

  outcome(kind: string): Scenario {
    const calls = this.#trails.map((trail) => this.#callOf(trail));
    return { kind, calls, told: this.#told, requests: requestsOf(this.#sent, this.#random) };
  }

  #callOf(trail: Trail): Call {
    const { id, parent, root, callerLog, callerSpan, calleeLog, calleeSpan, isWireKept, token, keys } = trail;
    const isPairProvable =
      token !== undefined &&
      callerLog &&
      calleeLog &&
      isWireKept &&
      this.#isAlone(keys.caller) &&
      this.#isAlone(keys.callee);
    const isLinkProvable = this.#isLinkProvable(trail);
    const [callerTold, calleeTold] = [callerLog || callerSpan, calleeLog || calleeSpan];
    return { id, parent, root, callerTold, calleeTold, isPairProvable, isLinkProvable };
  }

  #isLinkProvable({ parent, token, minted, callerLog, calleeLog, pointsAt, keys, isWireKept }: Trail): boolean {
    const above = parent === undefined ? undefined : this.#trails[parent];
    if (above?.token === undefined || !above.calleeLog || token === undefined) return false;
    if (!this.#isAlone(above.keys.callee) || !this.#isAlone(keys.caller) || !this.#isAlone(keys.callee)) return false;
    if (!callerLog) return false;
    const isExchanged = minted?.isTold ?? false;
    const isPlaced = isExchanged && minted?.placedUnder === above.keys.callee;
    if (pointsAt !== above.keys.callee && !isPlaced) return false;
    const isNamed = minted?.namesParent === true && calleeLog && isWireKept;
    return token.digest === above.token.digest || isExchanged || isNamed;
  }

  /** No span of its trace was reported for two ends or answered by two services: elsewhere a span id proves nothing. */
  #isAlone(key: string | undefined): boolean {
    const trace = key?.slice(0, 33);
    if (trace === undefined) return true;
    const isAlone = ([other, who]: readonly [string, ReadonlySet<string>]) => !other.startsWith(trace) || who.size <= 1;
    return [...this.#endsAt].every(isAlone) && [...this.#answersTo].every(isAlone);
  }
}

const note = (seen: Map<string, Set<string>>, key: string, what: string): void => {
  seen.set(key, (seen.get(key) ?? new Set()).add(what));
};
