import { byStrength, type End, indexBySpan, parentsOf } from './end.ts';
import { smallest } from './order.ts';

/**
 * An outbound call seen twice by one program (its own client span around the HTTP library's, or a server span around a
 * handler's) is one end. Only where the outer span has no other child and the inner no other parent: several calls
 * under one span stay apart, and a reused span id joins nothing.
 */
export function collapseLayers(ends: readonly End[]): readonly End[] {
  const bySpan = indexBySpan(ends);
  const children = new Map<End, End[]>();
  for (const end of ends) {
    const parents = parentsOf(end, bySpan);
    for (const parent of parents) {
      const known = children.get(parent);
      if (known === undefined) children.set(parent, [end]);
      else known.push(end);
    }
  }
  const innerOf = new Map<End, End>();
  for (const [outer, [inner, ...others]] of children) {
    if (inner === undefined || others.length > 0 || !isLayer(outer, inner)) continue;
    if (parentsOf(inner, bySpan).length === 1) innerOf.set(outer, inner);
  }
  const inner = new Set(innerOf.values());
  const outermost = ends.filter((end) => !inner.has(end)).map((outer) => withLayers(outer, innerOf));
  const told = new Set(outermost.flatMap((end) => end.accounts));
  // What turns in a circle has no outermost: it stays as it is.
  return [...outermost, ...ends.filter((end) => end.accounts.every((account) => !told.has(account)))];
}

const isLayer = (outer: End, inner: End): boolean =>
  outer.side === inner.side &&
  outer.side !== 'local' &&
  outer.service === inner.service &&
  outer.instance === inner.instance;

function withLayers(outer: End, innerOf: ReadonlyMap<End, End>): End {
  const layers = [outer];
  for (let next = innerOf.get(outer); next !== undefined && !layers.includes(next); next = innerOf.get(next))
    layers.push(next);
  if (layers.length === 1) return outer;
  const accounts = layers.flatMap((layer) => layer.accounts);
  return {
    ...outer,
    spanIds: layers.flatMap((layer) => layer.spanIds),
    accounts: accounts.toSorted(byStrength),
    id: smallest(layers.map((layer) => layer.id)),
  };
}
