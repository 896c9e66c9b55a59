import type { HopEntry } from '#observation';
import type { Exchange, Gap, Link } from './chain.ts';
import type { Draft } from './crossing.ts';
import { type End, firstOf } from './end.ts';
import type { History } from './history.ts';
import type { UnjudgedHop } from './hop.ts';
import type { Thresholds } from './thresholds.ts';

/** What a rule may look at: one chain's parts, who else in the set used the same tokens, what was before, and what it judges by. */
export interface Evidence extends Surroundings {
  readonly hops: readonly UnjudgedHop[]; // in tree order: a parent before its children
  readonly links: readonly Link[];
  readonly gaps: readonly Gap[];
  readonly exchanges: readonly Exchange[];
  readonly history: History;
  readonly thresholds: Thresholds;
}

/** What rules may ask beyond the chain itself. */
export interface Surroundings {
  readonly hop: (id: string) => UnjudgedHop | undefined;
  /** Every hop of the set, of this chain and others, that carries a token digest. */
  readonly usesOf: (digest: string) => readonly UnjudgedHop[];
  /** What each side said of a hop, the strongest account first. */
  readonly accountsOf: (hop: UnjudgedHop) => Accounts;
  /** The network address the callee saw, without port. */
  readonly peerHostOf: (hop: UnjudgedHop) => string | undefined;
  /** True when a hop has a predecessor, certain or among candidates. */
  readonly isLed: (hopId: string) => boolean;
  /** Every hop that led to this one, the nearest first; ambiguous links are not followed. */
  readonly before: (hopId: string) => readonly UnjudgedHop[];
  /** True when the callee received a trace context: somebody claims to stand before it. */
  readonly namesParent: (hop: UnjudgedHop) => boolean;
  /** True when the caller names a step that led to its call, and nobody reported that step. */
  readonly namesUnseen: (hop: UnjudgedHop) => boolean;
}

export interface Accounts {
  readonly caller: readonly HopEntry[];
  readonly callee: readonly HopEntry[]; // a local step stands here
  /** The callee's account of the credential that came. */
  readonly credential: HopEntry | undefined;
}

interface Known {
  readonly hops: ReadonlyMap<string, UnjudgedHop>;
  readonly draftOf: ReadonlyMap<string, Draft>;
  readonly linksTo: ReadonlyMap<string, readonly Link[]>;
  readonly uses: ReadonlyMap<string, readonly UnjudgedHop[]>;
  readonly bySpan: ReadonlyMap<string, readonly End[]>;
}

export function surroundingsOf({ hops, draftOf, linksTo, uses, bySpan }: Known): Surroundings {
  const calleeOf = (hop: UnjudgedHop) => draftOf.get(hop.id)?.callee;
  return {
    hop: (id) => hops.get(id),
    usesOf: (digest) => uses.get(digest) ?? [],
    accountsOf: remembered(({ id }: UnjudgedHop) => accountsIn(draftOf.get(id))),
    peerHostOf: (hop) =>
      firstOf([calleeOf(hop)], (entry) => entry.transport.peerAddress)?.replace(/(?<=[\]\d.a-z]):\d+$/, ''),
    isLed: (hopId) => linksTo.has(hopId),
    before: remembered((hopId: string) => before(hopId, linksTo).flatMap((id) => hops.get(id) ?? [])),
    namesParent: (hop) => calleeOf(hop)?.parentSpanId !== undefined,
    namesUnseen: (hop) => namesUnseen(draftOf.get(hop.id)?.caller, bySpan),
  };
}

function accountsIn(draft: Draft | undefined): Accounts {
  const [caller, callee] = [entriesOf(draft?.caller), entriesOf(draft?.callee)];
  const isCrossing = draft?.kind === 'crossing';
  const credential = isCrossing ? callee.find((entry) => entry.authority?.digest !== undefined) : undefined;
  return { caller, callee, credential };
}

/** Thirty rules ask the same of the same hops. */
function remembered<K, V>(answer: (key: K) => V): (key: K) => V {
  const answers = new Map<K, V>();
  return (key) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const value = answer(key);
    answers.set(key, value);
    return value;
  };
}

const entriesOf = (end: End | undefined): readonly HopEntry[] => (end?.accounts ?? []).map(({ entry }) => entry);

/** By the cause it names, else by its parent. */
function namesUnseen(caller: End | undefined, bySpan: Known['bySpan']): boolean {
  if (caller === undefined) return false;
  const cause = firstOf([caller], (entry) => entry.cause);
  if (cause !== undefined) return !bySpan.has(`${cause.traceId}/${cause.spanId}`);
  return caller.parentSpanId !== undefined && !bySpan.has(`${caller.traceId}/${caller.parentSpanId}`);
}

/** Breadth first; what was seen once is not walked again, so cycles end. */
function before(hopId: string, linksTo: ReadonlyMap<string, readonly Link[]>): readonly string[] {
  const seen = new Set([hopId]);
  for (const id of seen) for (const { from, grade } of linksTo.get(id) ?? []) if (grade !== 'ambiguous') seen.add(from);
  return [...seen].slice(1);
}
