import type { Chain, Hop } from './chain.ts';
import { groupBy } from './order.ts';

/** The boundary refused, and nothing came of it: what lies behind it was not reached. */
export const isStopped = (hop: Hop, findings: Chain['findings']): boolean =>
  hop.kind === 'crossing' &&
  hop.decision?.outcome === 'deny' &&
  !findings.some((finding) => finding.rule === 'denied_but_effected' && finding.hop === hop.id);

/** The boundary verified identity anew and enforced a scope. */
export const isEnforced = (hop: Hop): boolean =>
  hop.kind === 'crossing' && hop.verification?.status === 'verified' && hop.requiredScopes.length > 0;

/** What would have stopped the way through these hops: a check where there was none, else less authority. */
export function wouldStop(passed: readonly Hop[]): string {
  const crossings = passed.filter((hop) => hop.kind === 'crossing');
  const open = crossings.find((hop) => !isEnforced(hop));
  if (open !== undefined) {
    const isVerified = open.verification?.status === 'verified';
    const lacks = isVerified ? 'requiring a scope' : 'verifying the caller and requiring a scope';
    return `${open.to?.name ?? 'the called service'} ${lacks} of ${open.from?.name ?? 'its caller'}`;
  }
  const last = crossings.at(-1);
  if (last === undefined) return 'nothing: no boundary lies between';
  return `a token without ${last.requiredScopes.join(' ')}: every boundary on the way verified and enforced`;
}

export const nameOfHop = (hop: Hop): string =>
  `${hop.from?.name ?? 'somebody'} → ${hop.to?.name ?? hop.from?.name ?? 'somebody'}${hop.operation === null ? '' : ` (${hop.operation})`}`;

/** Crossings one after the other at which nobody verified, between one verification and the next. */
export interface BoundaryGap {
  readonly chain: string;
  readonly hops: readonly string[]; // hop ids, in tree order
  readonly after: string | null; // the hop id of the verification before; null when there is none
  readonly until: readonly string[]; // hop ids of the verifications behind it
  readonly says: string;
}

/** Every boundary gap of a chain: connected crossings without verification, through steps inside services. */
export function boundaryGapsOf(chain: Pick<Chain, 'id' | 'hops' | 'links'>): readonly BoundaryGap[] {
  const byId = new Map(chain.hops.map((hop) => [hop.id, hop]));
  const links = chain.links.filter(({ grade }) => grade !== 'ambiguous');
  const above = groupBy(links, (link) => link.to);
  const below = groupBy(links, (link) => link.from);
  const isOpen = (id: string): boolean => byId.get(id)?.verification?.status !== 'verified';
  const seen = new Set<string>();
  return chain.hops.flatMap((start) => {
    if (start.kind === 'local' || !isOpen(start.id) || seen.has(start.id)) return [];
    const run = new Set([start.id]);
    const until = new Set<string>();
    for (const id of run) for (const { to } of below.get(id) ?? []) (isOpen(to) ? run : until).add(to);
    for (const id of run) seen.add(id);
    const crossings = chain.hops.filter((hop) => run.has(hop.id) && hop.kind === 'crossing');
    const after = verifiedAbove(start.id, { above, isOpen });
    const names = crossings.map((hop) => hop.to?.name ?? 'somebody').join(', ');
    const says = `${crossings.length} ${crossings.length === 1 ? 'crossing' : 'crossings'} without verification: ${names}`;
    return [{ chain: chain.id, hops: crossings.map((hop) => hop.id), after, until: [...until].toSorted(), says }];
  });
}

interface Up {
  readonly above: ReadonlyMap<string, readonly { readonly from: string }[]>;
  readonly isOpen: (id: string) => boolean;
}

/** The nearest verified hop above, through steps inside services. */
function verifiedAbove(start: string, { above, isOpen }: Up): string | null {
  const up = new Set([start]);
  for (const id of up) {
    for (const { from } of above.get(id) ?? []) {
      if (!isOpen(from)) return from;
      up.add(from);
    }
  }
  return null;
}
