import type { EntryParty } from '#observation';
import { compare } from './order.ts';
import { partyKey } from './party-key.ts';
import type { PossibleStop, UseEdge } from './possible-reach.ts';
import { isEnforced } from './reach-boundary.ts';

/** A service from which an effect could have come, over observed use. */
export interface PossibleSource<P = EntryParty> {
  readonly service: string;
  /** Who was seen to act, or to be acted for, on the call that leads on from there; the newest calls alone are looked at. */
  readonly parties: readonly P[];
  readonly path: readonly string[]; // services, from there to the effect
  readonly why: string;
}

/** What could have led to an effect: a step of the search, the services whose callers come next being `frontier`. */
export interface PossibleOrigin {
  readonly frontier: readonly string[];
  readonly paths: ReadonlyMap<string, readonly string[]>;
  readonly sources: readonly PossibleSource[];
  readonly stopped: readonly PossibleStop[];
}

/** A search that stands where the effect was. */
export const startPossibleOrigin = (services: readonly string[]): PossibleOrigin => ({
  frontier: [...new Set(services)].toSorted(compare),
  paths: new Map(services.map((service) => [service, [service]])),
  sources: [],
  stopped: [],
});

/** Takes one step against the edges that lead into the frontier. An edge leads on when some call on it was let through. */
export function stepPossibleOrigin(search: PossibleOrigin, edges: readonly UseEdge[]): PossibleOrigin {
  const paths = new Map(search.paths);
  const sources: PossibleSource[] = [];
  const stopped = new Map<string, PossibleStop>();
  for (const { from, to, sample } of edges.toSorted((a, b) => compare(a.to, b.to) || compare(a.from, b.from))) {
    const behind = search.paths.get(to);
    if (behind === undefined || !search.frontier.includes(to) || paths.has(from)) continue;
    const passed = sample.filter((hop) => hop.decision?.outcome !== 'deny');
    if (passed.length === 0) {
      stopped.set(from, { from, to, says: `${to} refused every call that was seen of ${from}` });
      continue;
    }
    paths.set(from, [from, ...behind]);
    sources.push({
      service: from,
      parties: partiesIn(passed),
      path: [from, ...behind],
      why: whyThrough(from, to, passed),
    });
  }
  return {
    frontier: sources.map(({ service }) => service),
    paths,
    sources: [...search.sources, ...sources],
    stopped: [...search.stopped, ...stopped.values()].filter((stop) => !paths.has(stop.from)),
  };
}

function whyThrough(from: string, to: string, passed: UseEdge['sample']): string {
  const open = passed.find((hop) => !isEnforced(hop));
  if (open === undefined) {
    const needed = [...new Set(passed.map((hop) => hop.requiredScopes.join(' ')))].toSorted(compare).join(', or ');
    return `${to} let ${from} pass with ${needed}`;
  }
  return open.verification?.status === 'verified'
    ? `${to} let ${from} pass and required no scope`
    : `${to} let ${from} pass and is not known to have verified it`;
}

/** Each once, in order of the calls. */
function partiesIn(hops: UseEdge['sample']): readonly EntryParty[] {
  const parties = new Map<string, EntryParty>();
  for (const { subject, initiator, actors } of hops)
    for (const party of [subject, initiator, ...actors]) if (party !== null) parties.set(partyKey(party), party);
  return [...parties.values()];
}
