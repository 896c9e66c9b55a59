import type { Gap, Hop, Link } from '#chains';
import type { PartyView } from '#query';

/** One place in the drawing: a hop, or what stands where hops are missing or in doubt. Never a gap as a root's equal. */
export type Node = { readonly depth: number; readonly last: readonly boolean[] } & (
  | { readonly kind: 'hop'; readonly hop: Hop<PartyView>; readonly led: readonly Link[]; readonly opens: boolean }
  | { readonly kind: 'gap'; readonly gap: Gap; readonly opens: boolean }
  | { readonly kind: 'ambiguous'; readonly links: readonly Link[]; readonly opens: true }
);

interface Parts {
  readonly hops: readonly Hop<PartyView>[];
  readonly links: readonly Link[];
  readonly gaps: readonly Gap[];
}

/** What is still to be drawn, with where it stands. */
interface Branch {
  readonly hop: Hop<PartyView>;
  readonly last: readonly boolean[];
}

const BEFORE: readonly Gap['kind'][] = ['callee_without_caller', 'parent_unobserved'];

/**
 * Lays a chain out, parents before children. A hop that nothing is known to have led to hangs from its gap, one with several
 * candidates from the list of them; what a cycle makes unreachable comes last. Every hop stands in it once.
 */
export function layOut(parts: Parts): readonly Node[] {
  const led = Map.groupBy(parts.links, (link) => link.to);
  const gaps = Map.groupBy(parts.gaps, (gap) => gap.hop);
  const byId = new Map(parts.hops.map((hop) => [hop.id, hop]));
  const parentOf = new Map(
    parts.hops.flatMap((hop) => {
      const link = led.get(hop.id)?.find(({ grade, from }) => grade !== 'ambiguous' && byId.has(from));
      return link === undefined ? [] : [[hop.id, link.from] as const];
    }),
  );
  const children = Map.groupBy(parts.hops, (hop) => parentOf.get(hop.id));
  const drawn = new Set<string>();
  const nodes: Node[] = [];
  const roots = [...(children.get(undefined) ?? []), ...parts.hops];
  for (const root of roots) {
    const stack: Branch[] = [{ hop: root, last: [] }];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const { hop, last } = at;
      if (drawn.has(hop.id)) continue;
      drawn.add(hop.id);
      const below = (children.get(hop.id) ?? []).filter(({ id }) => !drawn.has(id));
      const place = placeOf(hop, last, led.get(hop.id) ?? [], gaps.get(hop.id) ?? [], below.length > 0);
      nodes.push(...place.nodes);
      stack.push(
        ...below.map((each, i) => ({ hop: each, last: [...place.last, i === below.length - 1] })).toReversed(),
      );
    }
  }
  return nodes;
}

/** A hop with what stands before it and right below it. */
function placeOf(
  hop: Hop<PartyView>,
  last: readonly boolean[],
  led: readonly Link[],
  gaps: readonly Gap[],
  leads: boolean,
) {
  const rivals = led.filter(({ grade }) => grade === 'ambiguous');
  const certain = led.filter(({ grade }) => grade !== 'ambiguous');
  const before = certain.length > 0 ? [] : gaps.filter(({ kind }) => isBefore(kind, hop));
  const after = gaps.filter((gap) => !before.includes(gap));
  const nodes: Node[] = [];
  let place = last;
  const hang = (
    node: { kind: 'gap'; gap: Gap; opens: true } | { kind: 'ambiguous'; links: readonly Link[]; opens: true },
  ) => {
    nodes.push({ ...node, depth: place.length, last: place });
    place = [...place, true];
  };
  if (rivals.length > 0) hang({ kind: 'ambiguous', links: rivals, opens: true });
  else if (before[0] !== undefined) hang({ kind: 'gap', gap: before[0], opens: true });
  const opens = leads || after.length > 0;
  nodes.push({ kind: 'hop', hop, led: certain, opens, depth: place.length, last: place });
  for (const [i, gap] of after.entries()) {
    const isLast = !leads && i === after.length - 1;
    nodes.push({ kind: 'gap', gap, opens: false, depth: place.length + 1, last: [...place, isLast] });
  }
  return { nodes, last: place };
}

/** An unsampled side stands before the hop when the caller's is the one that is missing. */
const isBefore = (kind: Gap['kind'], hop: Hop<PartyView>): boolean =>
  BEFORE.includes(kind) || (kind === 'unsampled' && hop.callerEntries.length === 0);
