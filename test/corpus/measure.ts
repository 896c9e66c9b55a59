import { type Chain, GRADES, type Grade, type Hop, type Link, type Recorded } from '#chains';
import { connectedSets } from './connected-sets.ts';
import type { Call, Scenario, Told } from './truth.ts';

/** How often a grade was given, and how often wrongly. */
export interface Score {
  claims: number;
  wrong: number;
}

export interface Measured {
  readonly pairs: Record<Grade, Score>;
  readonly links: Record<Grade, Score>;
  /** Where the reports hold proof, by what they hold and not by what was made of it. */
  readonly provable: { pairs: number; pairsProven: number; links: number; linksProven: number };
  /** Every true crossing with both sides told, and every true predecessor that was told, found at whatever grade. */
  readonly foundAt: Record<Grade, number>; // of both, by the best grade each was found at
  readonly found: { pairs: number; pairsFound: number; links: number; linksFound: number };
  /**
   * Hops with several candidates; how many of them have a truth that the reports could name, how many have it among the
   * candidates, and how many of those the very hop before.
   *
   * The truth could be named where something a report says (a trace, a token, an id) connects the hop before with this one:
   * a hop that told nothing but a span of its own, in a trace of its own, no reader can lay to another. And a candidate
   * that stands on a token says itself that what stood between was not seen: where the hop between told of no token, the
   * earlier hop that the token came from is the truth that the reports hold.
   */
  readonly ambiguous: { hops: number; truthKnown: number; truthAmong: number; nearestAmong: number };
  readonly chains: number;
  readonly hops: number;
}

const scores = (): Record<Grade, Score> =>
  Object.fromEntries(GRADES.map((grade) => [grade, { claims: 0, wrong: 0 }])) as Record<Grade, Score>;

export const nothing = (): Measured & { chains: number; hops: number } => ({
  pairs: scores(),
  links: scores(),
  provable: { pairs: 0, pairsProven: 0, links: 0, linksProven: 0 },
  foundAt: Object.fromEntries(GRADES.map((grade) => [grade, 0])) as Record<Grade, number>,
  found: { pairs: 0, pairsFound: 0, links: 0, linksFound: 0 },
  ambiguous: { hops: 0, truthKnown: 0, truthAmong: 0, nearestAmong: 0 },
  chains: 0,
  hops: 0,
});

/** Holds chains against what really happened. `says` is called with every wrong claim at proven or corroborated. */
export function measure(
  { calls, told }: Scenario,
  recorded: readonly Recorded[],
  chains: readonly Chain[],
  into: ReturnType<typeof nothing> = nothing(),
  says: (wrong: string) => void = () => {},
): typeof into {
  const judge = new Judge(calls, told, recorded, chains);
  judge.pairs(into, says);
  judge.links(into, says);
  into.chains += calls.filter(({ parent }) => parent === undefined).length;
  into.hops += chains.reduce((sum, chain) => sum + chain.hops.length, 0);
  return into;
}

class Judge {
  readonly #calls: readonly Call[];
  readonly #toldAt: ReadonlyMap<string, Told>;
  readonly #chains: readonly Chain[];
  readonly #hops: ReadonlyMap<string, Hop>;
  readonly #setOf: ReadonlyMap<string, number>; // leaf index -> connected set

  constructor(calls: readonly Call[], told: Scenario['told'], recorded: readonly Recorded[], chains: readonly Chain[]) {
    this.#calls = calls;
    this.#chains = chains;
    this.#toldAt = new Map(
      recorded.flatMap(({ leafIndex, entry }) => {
        const about = told.get(entry.time);
        return about === undefined ? [] : [[String(leafIndex), about] as const];
      }),
    );
    this.#setOf = connectedSets(recorded);
    this.#hops = new Map(chains.flatMap((chain) => chain.hops).map((hop) => [hop.id, hop]));
  }

  pairs(into: ReturnType<typeof nothing>, says: (wrong: string) => void): void {
    const best = new Map<number, Grade>();
    for (const hop of this.#hops.values()) {
      const [sent, received] = [this.#callsOf(hop.callerEntries), this.#callsOf(hop.calleeEntries)];
      if (hop.kind !== 'crossing' || sent.size === 0 || received.size === 0) continue;
      const calls = new Set([...sent, ...received]);
      const [only] = calls;
      const isTrue = calls.size === 1 && only !== undefined;
      tally(into.pairs[hop.grade], isTrue);
      if (isTrue) best.set(only, hop.grade);
      else if (hop.grade === 'proven' || hop.grade === 'corroborated')
        says(`pair ${hop.grade}: calls ${[...calls].join(' and ')}: ${hop.rests[0]?.says}`);
    }
    for (const call of this.#calls) {
      if (call.callerTold && call.calleeTold) {
        into.found.pairs += 1;
        const grade = best.get(call.id);
        if (grade !== undefined) into.found.pairsFound += 1;
        if (grade !== undefined) into.foundAt[grade] += 1;
      }
      if (!call.isPairProvable) continue;
      into.provable.pairs += 1;
      if (best.get(call.id) === 'proven') into.provable.pairsProven += 1;
      else says(`pair not proven: call ${call.id}, ${best.get(call.id) ?? 'not found'}`);
    }
  }

  links(into: ReturnType<typeof nothing>, says: (wrong: string) => void): void {
    const foundFor = new Map<number, Grade[]>();
    for (const [to, links] of Map.groupBy(
      this.#chains.flatMap((chain) => chain.links),
      (link) => link.to,
    )) {
      const hop = this.#hops.get(to);
      if (hop === undefined) continue;
      const verdicts = links.map((link) => ({ link, isTrue: this.#isTrue(this.#hops.get(link.from), hop) }));
      if (links[0]?.grade === 'ambiguous') this.#ambiguous(hop, links, into, says);
      for (const { link, isTrue: isNearest } of verdicts) {
        const isTrue = isNearest || this.#isToldEarlier(link, hop);
        tally(into.links[link.grade], isTrue);
        if (isTrue && hop.kind === 'crossing')
          for (const call of this.#callsOfHop(hop)) foundFor.set(call, [...(foundFor.get(call) ?? []), link.grade]);
        if (!isTrue && (link.grade === 'proven' || link.grade === 'corroborated')) {
          const from = this.#hops.get(link.from);
          says(`link ${link.grade}: ${from && this.#nameOf(from)} to ${this.#nameOf(hop)}: ${link.rests[0]?.says}`);
        }
      }
    }
    for (const call of this.#calls) {
      const grades = foundFor.get(call.id) ?? [];
      if ((call.callerTold || call.calleeTold) && this.#nearest(call) !== undefined) {
        into.found.links += 1;
        const grade = GRADES.find((each) => grades.includes(each));
        if (grade !== undefined) into.found.linksFound += 1;
        if (grade !== undefined) into.foundAt[grade] += 1;
      }
      if (!call.isLinkProvable) continue;
      into.provable.links += 1;
      if (grades.includes('proven')) into.provable.linksProven += 1;
      else says(`link not proven: to call ${call.id}, ${grades.join(' ') || 'not found'}`);
    }
  }

  #ambiguous(hop: Hop, links: readonly Link[], into: ReturnType<typeof nothing>, says: (wrong: string) => void): void {
    into.ambiguous.hops += 1;
    if (!this.#isLedKnown(hop)) return;
    into.ambiguous.truthKnown += 1;
    const isNearest = links.some((link) => this.#isTrue(this.#hops.get(link.from), hop));
    if (isNearest) into.ambiguous.nearestAmong += 1;
    if (isNearest || links.some((link) => this.#isToldEarlier(link, hop))) into.ambiguous.truthAmong += 1;
    else says(`ambiguous without the truth: ${this.#nameOf(hop)}`);
  }

  #callsOf(leaves: readonly string[]): ReadonlySet<number> {
    return new Set(
      leaves.flatMap((leaf) => {
        const told = this.#toldAt.get(leaf);
        if (told === undefined) return [];
        return ['call' in told ? told.call : told.within];
      }),
    );
  }

  #callsOfHop = (hop: Hop): ReadonlySet<number> => this.#callsOf([...hop.callerEntries, ...hop.calleeEntries]);

  #nameOf = (hop: Hop): string => `${hop.kind} ${[...this.#callsOfHop(hop)].join('+')}`;

  /** True when the nearest call above was told of by reports that something connects with this hop's. */
  #isLedKnown(hop: Hop): boolean {
    const own = new Set([...hop.callerEntries, ...hop.calleeEntries].map((leaf) => this.#setOf.get(leaf)));
    const before = new Set(
      [...this.#callsOfHop(hop)].map((id) => {
        const call = this.#calls[id];
        return call && this.#nearest(call);
      }),
    );
    return [...this.#toldAt].some(
      ([leaf, told]) => 'call' in told && before.has(told.call) && own.has(this.#setOf.get(leaf)),
    );
  }

  /** An earlier hop than the one before, by a link that says so. Of what is proven or corroborated the very hop before is asked. */
  #isToldEarlier = (link: Link, to: Hop): boolean =>
    link.grade !== 'proven' &&
    link.grade !== 'corroborated' &&
    standsOnToken(link) &&
    this.#isAncestor(this.#hops.get(link.from), to);

  #isAncestor(from: Hop | undefined, to: Hop): boolean {
    const sources = from === undefined ? new Set<number>() : this.#callsOfHop(from);
    const [target] = this.#callsOfHop(to);
    for (let at = target; at !== undefined; at = this.#calls[at]?.parent) if (sources.has(at)) return true;
    return false;
  }

  /** The nearest call above that anybody told of. */
  #nearest(call: Call): number | undefined {
    let at = call.parent === undefined ? undefined : this.#calls[call.parent];
    while (at !== undefined && !at.callerTold && !at.calleeTold)
      at = at.parent === undefined ? undefined : this.#calls[at.parent];
    return at?.id;
  }

  /** One led to the other: by the call that was being served, by a step in serving it, or as the two sides of one call. */
  #isTrue(from: Hop | undefined, to: Hop): boolean {
    if (from === undefined) return false;
    const [sources, [target]] = [this.#callsOfHop(from), this.#callsOfHop(to)];
    const call = target === undefined ? undefined : this.#calls[target];
    const [source] = from.kind === 'crossing' ? this.#servedIn(from, sources) : sources;
    if (call === undefined || source === undefined) return false;
    return source === call.id || source === call.parent || source === this.#nearest(call);
  }

  /** A hop whose two sides are of two calls led where its callee's call did: its own falsehood is counted as a pair. */
  #servedIn = (hop: Hop, calls: ReadonlySet<number>): ReadonlySet<number> =>
    calls.size > 1 ? this.#callsOf(hop.calleeEntries) : calls;
}

function tally(score: Score, isTrue: boolean): void {
  score.claims += 1;
  if (!isTrue) score.wrong += 1;
}

/** These links say of themselves that what stood between was not seen. */
const standsOnToken = ({ rests }: Link): boolean =>
  rests.some(({ says }) => /\btoken\b.*not (seen|observed)$/.test(says));
