import type { HopEntry } from '#observation';
import { type Acting, actingIn, hasPassed } from './acting.ts';
import type { Exchange, Gap, Link } from './chain.ts';
import type { Draft } from './crossing.ts';
import { type End, firstOf } from './end.ts';
import type { History } from './history.ts';
import type { UnjudgedHop } from './hop.ts';
import type { Lineage } from './lineage.ts';
import type { Thresholds } from './thresholds.ts';

/** What a rule may look at: one chain's parts, who else in the set used the same tokens, what was before, and what it judges by. */
export interface Evidence extends Parts, Surroundings {
  /** The hops whose boundary let the call pass. */
  readonly passed: readonly UnjudgedHop[];
  /** The machines that act in those and are known from before. */
  readonly acting: () => readonly Acting[];
}

/** What stitching knows of one chain, and what it is judged by. */
export interface Parts {
  readonly hops: readonly UnjudgedHop[]; // in tree order: a parent before its children
  readonly links: readonly Link[];
  readonly gaps: readonly Gap[];
  readonly exchanges: readonly Exchange[];
  readonly history: History;
  readonly thresholds: Thresholds;
}

/** Puts together what rules ask, each answer made once. */
export function evidenceOf(surroundings: Surroundings, parts: Parts): Evidence {
  const passed = parts.hops.filter(hasPassed);
  let acting: readonly Acting[] | undefined;
  return {
    ...surroundings,
    ...parts,
    passed,
    acting: () => {
      acting ??= actingIn(passed, parts.history);
      return acting;
    },
  };
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
  readonly before: (hopId: string) => Path;
  /** The links that lead to a hop, ambiguous ones among them. */
  readonly above: (hopId: string) => readonly Link[];
  /** The nearest call before a hop, through whatever steps inside services. */
  readonly callBefore: (hop: UnjudgedHop) => UnjudgedHop | undefined;
  /** True when the callee received a trace context: somebody claims to stand before it. */
  readonly namesParent: (hop: UnjudgedHop) => boolean;
  /** True when somebody reports the exchange a token came out of. */
  readonly isMinted: (digest: string) => boolean;
}

/** Hops one after the other, found only as far as somebody asks: the way up of a long chain is long. */
export interface Path extends Iterable<UnjudgedHop> {
  readonly find: (test: (hop: UnjudgedHop) => boolean) => UnjudgedHop | undefined;
  readonly some: (test: (hop: UnjudgedHop) => boolean) => boolean;
  readonly filter: (test: (hop: UnjudgedHop) => boolean) => readonly UnjudgedHop[];
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
  readonly lineage: Pick<Lineage, 'mintedBy'>;
}

export function surroundingsOf({ hops, draftOf, linksTo, uses, lineage }: Known): Surroundings {
  const calleeOf = (hop: UnjudgedHop) => draftOf.get(hop.id)?.callee;
  return {
    hop: (id) => hops.get(id),
    usesOf: (digest) => uses.get(digest) ?? [],
    accountsOf: remembered(({ id }: UnjudgedHop) => accountsIn(draftOf.get(id))),
    peerHostOf: (hop) =>
      firstOf([calleeOf(hop)], (entry) => entry.transport.peerAddress)?.replace(/(?<=[\]\d.a-z]):\d+$/, ''),
    isLed: (hopId) => linksTo.has(hopId),
    above: (hopId) => linksTo.get(hopId) ?? [],
    before: (hopId) => pathOf(() => before(hopId, linksTo, hops)),
    callBefore: remembered(
      ({ id }: UnjudgedHop) => directCall(id, linksTo, hops) ?? nearestCall(before(id, linksTo, hops)),
    ),
    namesParent: (hop) => calleeOf(hop)?.parentSpanId !== undefined,
    isMinted: (digest) => lineage.mintedBy(digest).length > 0,
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
    if (known !== undefined || answers.has(key)) return known as V; // what was put in
    const value = answer(key);
    answers.set(key, value);
    return value;
  };
}

/** Most hops were led to by one call and nothing else. */
function directCall(hopId: string, linksTo: Known['linksTo'], hops: Known['hops']): UnjudgedHop | undefined {
  const links = linksTo.get(hopId);
  const [only] = links ?? [];
  if (only === undefined || links?.length !== 1 || only.grade === 'ambiguous') return undefined;
  const hop = hops.get(only.from);
  return hop?.kind === 'crossing' ? hop : undefined;
}

function nearestCall(path: Iterable<UnjudgedHop>): UnjudgedHop | undefined {
  for (const hop of path) if (hop.kind === 'crossing') return hop;
  return undefined;
}

const entriesOf = (end: End | undefined): readonly HopEntry[] => (end?.accounts ?? []).map(({ entry }) => entry);

function pathOf(walk: () => Iterable<UnjudgedHop>): Path {
  const find: Path['find'] = (test) => {
    for (const hop of walk()) if (test(hop)) return hop;
    return undefined;
  };
  return {
    [Symbol.iterator]: () => walk()[Symbol.iterator](),
    find,
    some: (test) => find(test) !== undefined,
    filter: (test) => [...walk()].filter(test),
  };
}

/** Breadth first; what was seen once is not walked again, so cycles end. */
function* before(
  hopId: string,
  linksTo: Known['linksTo'],
  hops: Known['hops'],
): Generator<UnjudgedHop, undefined, undefined> {
  const seen = new Set([hopId]);
  for (const id of seen) {
    const hop = id === hopId ? undefined : hops.get(id);
    if (hop !== undefined) yield hop;
    for (const { from, grade } of linksTo.get(id) ?? []) if (grade !== 'ambiguous') seen.add(from);
  }
}
