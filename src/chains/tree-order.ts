import type { Link } from './chain.ts';
import type { UnjudgedHop } from './hop.ts';
import { compare, compareDecimals, groupBy } from './order.ts';

/** Parents before children, older siblings first; what a cycle makes unreachable comes last. */
export function inTreeOrder(hops: readonly UnjudgedHop[], links: readonly Link[]): readonly UnjudgedHop[] {
  const sorted = hops.toSorted((a, b) => compareDecimals(a.time, b.time) || compare(a.id, b.id));
  const rank = new Map(sorted.map((hop, i) => [hop.id, i]));
  const certain = links.filter((link) => link.grade !== 'ambiguous');
  const children = groupBy(certain, (link) => link.from);
  const led = new Set(certain.map((link) => link.to));
  const ordered = new Set<number>();
  for (const root of [...sorted.filter((hop) => !led.has(hop.id)), ...sorted]) {
    const stack = [rank.get(root.id) ?? 0];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (ordered.has(at)) continue;
      ordered.add(at);
      const next = (children.get(sorted[at]?.id ?? '') ?? []).flatMap((link) => rank.get(link.to) ?? []);
      stack.push(...next.toSorted((a, b) => b - a));
    }
  }
  return [...ordered].flatMap((at) => sorted[at] ?? []);
}
