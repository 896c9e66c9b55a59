import type { EntryParty } from '#observation';
import type { Chain, Grade, Hop, Link } from './chain.ts';
import { compare, groupBy } from './order.ts';
import { describeParty, partyKey } from './party-key.ts';
import { isEnforced, isStopped, nameOfHop, wouldStop } from './reach-boundary.ts';

/** Where a blast radius starts: a party by its exact keys, a token by its digest, a service or a resource by its name. */
export type Origin =
  | { readonly kind: 'party'; readonly keys: readonly string[] }
  | { readonly kind: 'token'; readonly digest: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'resource'; readonly name: string };

/** `forward`: what it led to. `backward`: everything and everyone that led or, by an ambiguous link, could have led to it. */
export type Direction = 'forward' | 'backward';

/** One step of the way to what was reached, from the origin on. */
export interface ReachStep {
  readonly chain: string;
  readonly hop: string;
  readonly time: string;
  readonly says: string;
  readonly grade: Grade | null; // of the link that led here; null where the way begins
}

export interface Reached<T> {
  readonly what: T;
  readonly hops: number; // in which it was reached
  readonly path: readonly ReachStep[]; // the shortest of the earliest chain
  /** The first boundary on the way that verified the token and enforced a scope; null when there was none. */
  readonly checkedBy: string | null;
  readonly wouldHaveStopped: string;
}

export interface Stop {
  readonly chain: string;
  readonly hop: string;
  readonly time: string;
  readonly says: string;
}

/** What was actually reached, in order of the way to it. */
export interface Reach<P = EntryParty> {
  readonly chains: number;
  readonly hops: number;
  readonly services: readonly Reached<string>[];
  readonly resources: readonly Reached<string>[];
  /** Forward: the persons whose authority was used. Backward: everyone who acted, was acted for or started it. */
  readonly parties: readonly Reached<P>[];
  /** Boundaries that refused: nothing behind them was reached. */
  readonly stopped: readonly Stop[];
  /** Scopes that the origin was seen to hold. */
  readonly scopes: readonly string[];
  /** The services it acted from. */
  readonly from: readonly string[];
  /** The services it was received at. */
  readonly at: readonly string[];
}

export interface ReachQuestion {
  readonly origin: Origin;
  readonly direction: Direction;
  /** Unix nanoseconds, decimal: hops of the origin before it do not count. */
  readonly since?: string;
}

/** What an origin actually reached over these chains. Pure: the same chains in any order give the same answer. */
export function reachOf(chains: readonly Chain[], question: ReachQuestion): Reach {
  const sorted = chains.toSorted((a, b) => compare(a.from.padStart(20, '0') + a.id, b.from.padStart(20, '0') + b.id));
  const walks = sorted.map((chain) => walk(chain, question)).filter(({ seeds }) => seeds.length > 0);
  const ways = walks.flatMap(({ ways }) => ways);
  const seeds = walks.flatMap(({ seeds }) => seeds);
  const isForward = question.direction === 'forward';
  return {
    chains: walks.length,
    hops: ways.length,
    services: collect(ways, (hop) => servicesOf(hop, question)),
    resources: collect(ways, ({ resource }) => isOrigin(question.origin, 'resource', resource)),
    parties: byParty(ways, isForward),
    stopped: walks.flatMap(({ stopped }) => stopped),
    scopes: [...new Set(seeds.flatMap((hop) => hop.authority?.scopes ?? []))].toSorted(compare),
    from: [...new Set(seeds.flatMap((hop) => hop.from?.name ?? []))].toSorted(compare),
    at: [...new Set(seeds.flatMap((hop) => hop.to?.name ?? []))].toSorted(compare),
  };
}

/** How one hop was come to: the hops from the origin on. */
interface Way {
  readonly hop: Hop;
  readonly path: readonly ReachStep[];
  readonly passed: readonly Hop[];
}

/** Breadth first from the origin's own hops; a hop is come to once, so cycles end. */
function walk(chain: Chain, { origin, direction, since }: ReachQuestion) {
  const byId = new Map(chain.hops.map((hop) => [hop.id, hop]));
  const next = stepsOf(chain.links, direction);
  const seeds = chain.hops.filter((hop) => isSeed(hop, origin, direction) && isSince(hop, since));
  const ways = new Map<string, Way>();
  const stopped: Stop[] = [];
  const enter = (hop: Hop, grade: Grade | null, before?: Way): void => {
    if (ways.has(hop.id) || stopped.some((stop) => stop.hop === hop.id)) return;
    const step = { chain: chain.id, hop: hop.id, time: hop.time, says: nameOfHop(hop), grade };
    if (direction === 'forward' && isStopped(hop, chain.findings)) {
      stopped.push({ chain: chain.id, hop: hop.id, time: hop.time, says: `${nameOfHop(hop)}: ${hop.reason}` });
      return;
    }
    ways.set(hop.id, { hop, path: [...(before?.path ?? []), step], passed: [...(before?.passed ?? []), hop] });
  };
  for (const seed of seeds) enter(seed, null);
  for (const [id, way] of ways)
    for (const { to, grade } of next.get(id) ?? []) {
      const hop = byId.get(to);
      if (hop !== undefined) enter(hop, grade, way);
    }
  return { seeds, ways: [...ways.values()], stopped };
}

interface Step {
  readonly from: string;
  readonly to: string;
  readonly grade: Grade;
}

/** Forward only what is known to have led on; backward all candidates. */
function stepsOf(links: readonly Link[], direction: Direction): ReadonlyMap<string, readonly Step[]> {
  const steps =
    direction === 'forward'
      ? links.filter(({ grade }) => grade !== 'ambiguous')
      : links.map(({ from, to, grade }) => ({ from: to, to: from, grade }));
  return groupBy(steps, (step) => step.from);
}

const isSince = (hop: Hop, since: string | undefined): boolean =>
  since === undefined || BigInt(hop.time) >= BigInt(since);

/** The origin's own hops. Forward from a service: the calls it makes; backward: the calls it takes. */
function isSeed(hop: Hop, origin: Origin, direction: Direction): boolean {
  switch (origin.kind) {
    case 'party':
      return [hop.subject, ...hop.actors].some((party) => party !== null && origin.keys.includes(partyKey(party)));
    case 'token':
      return hop.authority?.digest === origin.digest;
    case 'service':
      return (direction === 'forward' ? hop.from : hop.to)?.name === origin.name;
    case 'resource':
      return hop.resource === origin.name;
  }
}

const isOrigin = (origin: Origin, kind: 'service' | 'resource', name: string | null | undefined): string[] =>
  name === null || name === undefined || (origin.kind === kind && origin.name === name) ? [] : [name];

/** Forward: who was called; backward: who called. A step inside a service reaches nothing new. */
function servicesOf(hop: Hop, { origin, direction }: ReachQuestion): readonly string[] {
  if (hop.kind === 'local') return [];
  return isOrigin(origin, 'service', (direction === 'forward' ? hop.to : hop.from)?.name);
}

function collect(ways: readonly Way[], namesIn: (hop: Hop) => readonly string[]): readonly Reached<string>[] {
  const named = ways.flatMap((way) => namesIn(way.hop).map((name) => ({ name, way })));
  return [...groupBy(named, ({ name }) => name)].map(([what, all]) =>
    reached(
      what,
      all.map(({ way }) => way),
    ),
  );
}

function byParty(ways: readonly Way[], isForward: boolean): readonly Reached<EntryParty>[] {
  const named = ways.flatMap((way) => {
    const { subject, initiator, actors } = way.hop;
    const parties = isForward ? [subject].filter((party) => party?.type === 'user') : [subject, initiator, ...actors];
    return parties.flatMap((party) => (party === null ? [] : [{ party, way }]));
  });
  return [...groupBy(named, ({ party }) => partyKey(party)).values()].flatMap((all) => {
    const [first] = all;
    return first === undefined ? [] : [reached(first.party, [...new Set(all.map(({ way }) => way))])];
  });
}

function reached<T>(what: T, ways: readonly Way[]): Reached<T> {
  const best = ways.reduce((least, way) => (way.path.length < least.path.length ? way : least));
  const check = best.passed.find(isEnforced);
  return {
    what,
    hops: ways.length,
    path: best.path,
    checkedBy: check === undefined ? null : checkOf(check),
    wouldHaveStopped: wouldStop(best.passed),
  };
}

const checkOf = (hop: Hop): string =>
  `${hop.to?.name ?? 'a service'} verified the token${hop.actors.length === 0 ? '' : ` of ${hop.actors.map(describeParty).at(-1)}`} and required ${hop.requiredScopes.join(' ')}`;
