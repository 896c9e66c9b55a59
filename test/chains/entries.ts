import type { Recorded } from '#chains';
import type { ClearParty, Entry, ExchangeEntry, HopEntry, RevocationEntry } from '#observation';

/** Entries for tests, short to write. Every one gets the next leaf index and an id in order of making. */
export class Entries {
  readonly all: Recorded[] = [];
  #next = 0;

  hop(
    given: Partial<HopEntry> & {
      service: string;
      at?: Span;
      scopes?: readonly string[];
      digest?: string;
      verified?: boolean;
    },
  ): Recorded<HopEntry> {
    const { service, at, scopes, digest, verified, ...rest } = given;
    const authority = digest === undefined ? {} : { authority: authorityOf(digest, scopes, verified ?? true) };
    return this.#record<HopEntry>({
      ...this.#shared(service),
      ...(at === undefined ? {} : { trace: traceOf(at) }),
      kind: 'hop',
      side: 'callee',
      transport: { protocol: 'http' },
      actors: [],
      ...authority,
      ...rest,
    });
  }

  exchange(given: Partial<ExchangeEntry> & { tokenIn: string; at?: Span }): Recorded<ExchangeEntry> {
    const { at, ...rest } = given;
    return this.#record<ExchangeEntry>({
      ...this.#shared('idp'),
      ...(at === undefined ? {} : { trace: traceOf(at) }),
      kind: 'exchange',
      actors: [],
      decision: { outcome: 'permit' },
      ...rest,
    });
  }

  revocation(given: Pick<RevocationEntry, 'target' | 'effect'> & Partial<RevocationEntry>): Recorded<RevocationEntry> {
    return this.#record<RevocationEntry>({ ...this.#shared('idp'), kind: 'revocation', ...given });
  }

  #shared(service: string) {
    this.#next += 1;
    const number = this.#next.toString(16).padStart(12, '0');
    return {
      v: 1 as const,
      id: `019a0000-0000-7000-8000-${number}`,
      time: String(1_793_439_700_000_000_000n + BigInt(this.#next)),
      received: '1793439700000000000',
      reporter: { service, authenticated: 'none' as const },
      source: { signal: 'log' as const, vocabulary: 'behalf' },
      absent: {},
      anomalies: [],
    };
  }

  #record<E extends Entry>(entry: E): Recorded<E> {
    const recorded = { leafIndex: BigInt(this.#next - 1), entry };
    this.all.push(recorded);
    return recorded;
  }
}

/** [trace number, span number, parent span number] */
export type Span = readonly [trace: number, span: number, parent?: number];

export const traceOf = ([trace, span, parent]: Span) => ({
  traceId: trace.toString(16).padStart(32, '0'),
  spanId: spanId(span),
  ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
  flags: 1,
  links: [],
});

const spanId = (span: number): string => span.toString(16).padStart(16, '0');

/** A digest for a token of that name. */
export const digest = (name: string): string => Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64);

export const user = (id: string) => ({
  type: 'user' as const,
  basis: 'token' as const,
  ref: `p_${Buffer.from(id).toString('hex').padEnd(32, '0')}`,
  sealed: 'AA',
});
export const service = (id: string): ClearParty => ({ type: 'service', id, issuer: 'https://idp', basis: 'token' });
export const agent = (id: string): ClearParty => ({ type: 'ai_agent', id, issuer: 'https://idp', basis: 'token' });

const authorityOf = (
  token: string,
  scopes: readonly string[] | undefined,
  verified: boolean,
): NonNullable<HopEntry['authority']> => ({
  profile: 'jwt-access-token',
  digest: digest(token),
  issuer: 'https://idp',
  ...(scopes === undefined ? {} : { scopes: [...scopes] }),
  verification: { status: verified ? 'verified' : 'unverified' },
});

/** A user calls gateway, which calls planner (plain spans), which calls payments, which calls books; tokens are exchanged at each step. */
export function delegatedCall(entries = new Entries(), trace = 1): Entries {
  const dana = user('dana');
  const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const, code: '200' } };
  const span = (n: number, parent?: number): Span => (parent === undefined ? [trace, n] : [trace, n, parent]);
  const t = (name: string) => `${name}${trace}`;
  entries.hop({ service: 'gateway', at: span(1), digest: t('T1'), scopes: ['invoice.pay'], subject: dana, ...permit });
  entries.exchange({
    at: span(2, 1),
    tokenIn: digest(t('T1')),
    tokenOut: digest(t('T2')),
    scopesHeld: ['invoice.pay'],
    scopesGranted: ['invoice.pay'],
    subject: dana,
  });
  entries.hop({
    service: 'gateway',
    side: 'caller',
    at: span(3, 1),
    cause: { traceId: traceOf(span(1)).traceId, spanId: traceOf(span(1)).spanId },
    digest: t('T2'),
    scopes: ['invoice.pay'],
    verified: false,
    subject: dana,
    actors: [service('gateway')],
    outcome: { status: 'ok' },
  });
  entries.hop({
    service: 'planner',
    at: span(4, 3),
    source: { signal: 'span', vocabulary: 'otel-semconv' },
    actors: [{ type: 'service', id: 'planner', basis: 'resource' }],
    outcome: { status: 'ok' },
  });
  entries.hop({
    service: 'planner',
    side: 'local',
    at: span(5, 4),
    source: { signal: 'span', vocabulary: 'gen-ai' },
    transport: { protocol: 'agent' },
  });
  entries.exchange({
    at: span(6, 5),
    tokenIn: digest(t('T2')),
    tokenOut: digest(t('T3')),
    scopesHeld: ['invoice.pay'],
    scopesGranted: ['invoice.pay'],
    subject: dana,
  });
  entries.hop({
    service: 'planner',
    side: 'caller',
    at: span(7, 5),
    source: { signal: 'span', vocabulary: 'otel-semconv' },
    outcome: { status: 'ok' },
  });
  entries.hop({
    service: 'payments',
    at: span(8, 7),
    digest: t('T3'),
    scopes: ['invoice.pay'],
    requiredScopes: ['invoice.pay'],
    subject: dana,
    actors: [service('gateway'), agent('planner')],
    ...permit,
  });
  entries.exchange({
    at: span(9, 8),
    tokenIn: digest(t('T3')),
    tokenOut: digest(t('T4')),
    scopesHeld: ['invoice.pay'],
    scopesGranted: ['invoice.pay'],
    subject: dana,
  });
  entries.hop({
    service: 'payments',
    side: 'caller',
    at: span(10, 8),
    cause: { traceId: traceOf(span(8)).traceId, spanId: traceOf(span(8)).spanId },
    digest: t('T4'),
    scopes: ['invoice.pay'],
    verified: false,
    subject: dana,
    outcome: { status: 'ok' },
  });
  entries.hop({
    service: 'books',
    at: span(11, 10),
    digest: t('T4'),
    scopes: ['invoice.pay'],
    subject: dana,
    transport: { protocol: 'http', peerAddress: '127.0.0.1:4711' },
    actors: [service('gateway'), agent('planner'), service('payments')],
    ...permit,
  });
  return entries;
}
