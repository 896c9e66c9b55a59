import type { Hop } from './chain.ts';
import { compare } from './order.ts';
import { isEnforced } from './reach-boundary.ts';

/** One service seen calling another: the edge of the graph of observed use, with a sample of its newest calls. */
export interface UseEdge {
  readonly from: string;
  readonly to: string;
  readonly sample: readonly Hop[];
}

export interface PossiblyReached {
  readonly service: string;
  readonly resources: readonly string[]; // as seen in the sample of the last call
  readonly path: readonly string[]; // services, from where it starts
  readonly why: string;
}

export interface PossibleStop {
  readonly from: string;
  readonly to: string;
  readonly says: string;
}

/** What could be reached: a step of the search, the services to look at next being `frontier`. */
export interface PossibleReach {
  readonly held: readonly string[]; // scopes
  readonly frontier: readonly string[];
  readonly paths: ReadonlyMap<string, readonly string[]>;
  readonly reached: readonly PossiblyReached[];
  readonly stopped: readonly PossibleStop[];
}

/** A search that stands at these services and holds these scopes. */
export const startPossibleReach = (services: readonly string[], held: readonly string[]): PossibleReach => ({
  held,
  frontier: [...new Set(services)].toSorted(compare),
  paths: new Map(services.map((service) => [service, [service]])),
  reached: [],
  stopped: [],
});

/**
 * Takes one step along the edges that leave the frontier. An edge is open when some call on it went unverified or required
 * nothing, or when what it requires is held; elsewhere the boundary stands.
 */
export function stepPossibleReach(search: PossibleReach, edges: readonly UseEdge[]): PossibleReach {
  const paths = new Map(search.paths);
  const reached: PossiblyReached[] = [];
  const stopped = new Map<string, PossibleStop>();
  for (const { from, to, sample } of edges.toSorted((a, b) => compare(a.from, b.from) || compare(a.to, b.to))) {
    const before = search.paths.get(from);
    if (before === undefined || !search.frontier.includes(from) || paths.has(to)) continue;
    const why = whyOpen(to, sample, search.held);
    if (why === undefined) {
      stopped.set(to, {
        from,
        to,
        says: `${to} verifies its callers and requires ${requiredOf(sample)}, which was not seen to be held`,
      });
      continue;
    }
    const resources = [...new Set(sample.flatMap((hop) => hop.resource ?? []))].toSorted(compare);
    paths.set(to, [...before, to]);
    reached.push({ service: to, resources, path: [...before, to], why });
  }
  return {
    held: search.held,
    frontier: reached.map(({ service }) => service),
    paths,
    reached: [...search.reached, ...reached],
    stopped: [...search.stopped, ...stopped.values()].filter((stop) => !paths.has(stop.to)),
  };
}

function whyOpen(to: string, sample: readonly Hop[], held: readonly string[]): string | undefined {
  const passed = sample.filter((hop) => hop.decision?.outcome !== 'deny');
  const open = passed.find((hop) => !isEnforced(hop));
  if (open !== undefined) {
    const isVerified = open.verification?.status === 'verified';
    return `${to} let a call pass that it ${isVerified ? 'required no scope of' : 'is not known to have verified'}`;
  }
  const covered = passed.find((hop) => hop.requiredScopes.every((scope) => held.includes(scope)));
  return covered && `${to} requires ${covered.requiredScopes.join(' ')}, which is held`;
}

const requiredOf = (sample: readonly Hop[]): string =>
  [...new Set(sample.map((hop) => hop.requiredScopes.join(' ')).filter((text) => text !== ''))]
    .toSorted(compare)
    .join(', or ') || 'more than was seen';
