import type { EntryParty, ExchangeEntry, HopEntry, RevocationEntry } from '#observation';
import { agent, digest, Entries, type Span, service, traceOf, user } from '../chains/entries.ts';
import type { Random } from './random.ts';

/** When everything in a play happens, in unix seconds. */
export const NOW = 1_793_439_700;
export const nanos = (seconds: number): string => `${Math.round(seconds)}000000000`;
export const ISSUER = 'https://idp';

export const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const, code: '200' } };
export const deny = {
  decision: { outcome: 'deny' as const, reason: 'insufficient_scope' },
  outcome: { status: 'error' as const, code: '403' },
};

/** A token as its claims; its digest comes from its name. */
export interface Token {
  readonly name: string;
  readonly subject: EntryParty;
  readonly actors: readonly EntryParty[];
  readonly scopes: readonly string[];
  readonly claims?: Partial<NonNullable<HopEntry['authority']>>;
}

/** Where a play stands: a service that was called, with the token it was called with. */
export interface Stop {
  readonly service: string;
  readonly span: number;
  readonly trace: number;
  readonly token: Token;
}

type Told = Partial<HopEntry>;

/** Makes the entries of one transaction, a call at a time, the way services that behave report them. */
export class Play {
  readonly entries = new Entries();
  readonly random: Random;
  readonly person: EntryParty;
  #span = 0;
  #token = 0;

  constructor(random: Random) {
    this.random = random;
    this.person = user(random.pick(['dana', 'erin', 'noor', 'sam']));
  }

  token(given: Partial<Token> = {}): Token {
    this.#token += 1;
    const scopes = given.scopes ?? ['invoice.pay', 'invoice.read'];
    return { name: `T${this.#token}`, subject: this.person, actors: [], ...given, scopes };
  }

  /** A call into `to` that its caller does not report: a person’s own, or a stranger’s. */
  enter(to: string, token: Token, told: Told = {}, trace = 1): Stop {
    const span = this.#next();
    this.entries.hop({ service: to, at: [trace, span], ...carried(token, 'verified'), ...permit, ...told });
    return { service: to, span, trace, token };
  }

  /** A call from a stop to another service, told by both sides. */
  call(from: Stop, to: string, token: Token, told: { caller?: Told; callee?: Told } = {}): Stop {
    const [out, into] = [this.#next(), this.#next()];
    const cause = { traceId: traceOf([from.trace, 1]).traceId, spanId: traceOf([1, from.span]).spanId };
    const at: Span = [from.trace, out, from.span];
    const outcome = told.callee?.outcome ?? permit.outcome;
    const sent = { ...carried(token, 'unverified'), outcome, ...told.caller };
    this.entries.hop({ service: from.service, side: 'caller', at, cause, ...sent });
    const received = { ...carried(token, 'verified'), ...permit, ...told.callee };
    this.entries.hop({ service: to, at: [from.trace, into, out], ...received });
    return { service: to, span: into, trace: from.trace, token };
  }

  /** A step inside a program. */
  step(from: Stop, told: Told): Stop {
    const span = this.#next();
    const signal = { source: { signal: 'span' as const, vocabulary: 'gen-ai' } };
    this.entries.hop({ service: from.service, side: 'local', at: [from.trace, span, from.span], ...signal, ...told });
    return { ...from, span };
  }

  exchange(at: Stop, given: Token, told: Partial<ExchangeEntry> = {}): Token {
    const { token } = at;
    this.entries.exchange({
      at: [at.trace, this.#next(), at.span],
      tokenIn: digest(token.name),
      tokenOut: digest(given.name),
      issuer: ISSUER,
      subject: given.subject,
      actors: [...given.actors],
      scopesHeld: [...token.scopes],
      scopesGranted: [...given.scopes],
      ...told,
    });
    return given;
  }

  /** Somebody reports that a party or token holds no longer, or again. */
  revoke(target: RevocationEntry['target'], when: string, effect: RevocationEntry['effect'] = 'revoked'): void {
    this.entries.revocation({ target, effect, time: when });
  }

  /** Exchanges the token of a stop for one in which its service is the last actor, and calls on with it. */
  delegate(from: Stop, to: string, told: { caller?: Told; callee?: Told } = {}, more: Partial<Token> = {}): Stop {
    const scopes = this.random.chance(0.3) ? from.token.scopes.slice(0, 1) : from.token.scopes;
    const actors = [...from.token.actors, partyOf(from.service)];
    const token = this.token({ subject: from.token.subject, actors, scopes, ...more });
    return this.call(from, to, this.exchange(from, token), told);
  }

  /** A user’s call through `depth` more services, each acting for her; gives the last stop. */
  delegation(depth = this.random.int(1, 4)): Stop {
    let stop = this.enter('gateway', this.token());
    for (const to of PATH.slice(0, depth)) {
      if (this.random.chance(0.3)) stop = this.step(stop, { transport: { protocol: 'unknown' } });
      stop = this.delegate(stop, to);
    }
    return stop;
  }

  #next = (): number => {
    this.#span += 1;
    return this.#span;
  };
}

const PATH = ['planner', 'payments', 'books', 'archive'];
export const partyOf = (name: string): EntryParty => (name === 'planner' ? agent(name) : service(name));

/** How a token shows on a hop. */
export const carried = ({ name, subject, actors, scopes, claims }: Token, status: 'verified' | 'unverified') => ({
  subject,
  actors: [...actors],
  authority: {
    profile: 'jwt-access-token',
    digest: digest(name),
    issuer: ISSUER,
    scopes: [...scopes],
    issuedAt: nanos(NOW - 30),
    expiresAt: nanos(NOW + 300),
    ...claims,
    verification: { status },
  } satisfies NonNullable<HopEntry['authority']>,
});
