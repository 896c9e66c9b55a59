import fc from 'fast-check';
import type { Recorded } from '#chains';
import { digest, Entries, type Span, service, user } from './entries.ts';

interface Size {
  readonly traces: number;
  readonly tokens: readonly string[];
  /** How often a hop carries a token, and a link: so many times for each time it does not. */
  readonly density: number;
}

function worldOf({ traces, tokens, density }: Size) {
  const trace = fc.integer({ min: 1, max: traces });
  const id = fc.integer({ min: 1, max: 9 });
  const span = fc.oneof(fc.tuple(trace, id), fc.tuple(trace, id, id));
  const token = fc.constantFrom(...tokens);
  const maybe = <T>(each: fc.Arbitrary<T>) => fc.option(each, { nil: undefined });
  const rare = <T>(each: fc.Arbitrary<T>) => fc.option(each, { nil: undefined, freq: density });
  const hop = fc.record({
    service: fc.constantFrom('a', 'b', 'c'),
    side: fc.constantFrom('caller' as const, 'callee' as const, 'local' as const),
    signal: fc.constantFrom('log' as const, 'span' as const),
    at: span,
    token: rare(token),
    verified: fc.boolean(),
    person: maybe(fc.constantFrom('dana', 'erin')),
    peer: maybe(fc.constantFrom('a', 'b', 'c')),
    decision: maybe(fc.constantFrom('permit' as const, 'deny' as const)),
    link: rare(span),
    message: maybe(fc.constantFrom('m1', 'm2')),
    request: maybe(fc.constantFrom('1', '2')),
    conversation: maybe(fc.constantFrom('c1', 'c2')),
    grant: maybe(fc.record({ id: fc.constantFrom(...tokens), parentId: maybe(fc.constantFrom(...tokens)) })),
  });
  const exchange = fc.record({ at: span, tokenIn: token, tokenOut: token });
  return fc.record({
    hops: fc.array(hop, { maxLength: 14 }),
    exchanges: fc.array(exchange, { maxLength: 3 }),
  });
}

/** Small on purpose: few services, spans and tokens, so that reuse, cycles, forks and replays are common. */
export const world = worldOf({ traces: 2, tokens: ['T', 'U', 'V'], density: 3 });
/** Wide enough to fall into several connected sets. */
export const wideWorld = worldOf({ traces: 6, tokens: ['T', 'U', 'V', 'W', 'X', 'Y'], density: 1 });
export type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
const linkOf = ([trace, id]: readonly number[]) => ({ traceId: hex(trace ?? 1, 32), spanId: hex(id ?? 1, 16) });

export function entriesOf({ hops, exchanges }: World): readonly Recorded[] {
  const entries = new Entries();
  for (const told of hops) {
    const { service: name, side, signal, at, token, verified, person, peer, decision, link } = told;
    const made = entries.hop({
      service: name,
      side,
      at: at as Span,
      source: { signal, vocabulary: signal === 'log' ? 'behalf' : 'otel-semconv' },
      transport: {
        ...{ protocol: 'http', ...(peer === undefined ? {} : { peerService: peer }) },
        ...(told.message === undefined ? {} : { messageId: told.message }),
        ...(told.request === undefined ? {} : { requestId: told.request }),
        ...(told.conversation === undefined ? {} : { conversation: told.conversation }),
      },
      ...(token === undefined ? {} : { digest: token, verified, scopes: [token] }),
      ...(person === undefined ? {} : { subject: user(person), actors: [service('a')] }),
      ...(decision === undefined ? {} : { decision: { outcome: decision } }),
    });
    if (told.grant !== undefined && made.entry.authority !== undefined) {
      made.entry.authority.id = told.grant.id;
      if (told.grant.parentId !== undefined) made.entry.authority.parentId = told.grant.parentId;
    }
    if (link !== undefined) made.entry.trace?.links.push(linkOf(link));
  }
  for (const { at, tokenIn, tokenOut } of exchanges)
    entries.exchange({ at: at as Span, tokenIn: digest(tokenIn), tokenOut: digest(tokenOut) });
  return entries.all;
}
