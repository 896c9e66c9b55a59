import { type End, endOf, indexBySpan, parentsOf } from './end.ts';
import type { Places } from './place.ts';

/**
 * An outbound call seen twice by one program (its own client span around the HTTP library's, or a server span around a
 * handler's) is one end. Only where the outer span has no other child and the inner no other parent: several calls
 * under one span stay apart, and a reused span id joins nothing.
 */
export function collapseLayers(ends: readonly End[], places: Places): readonly End[] {
  const innerOf = innersOf(ends);
  if (innerOf.size === 0) return ends;
  const inner = new Set(innerOf.values());
  const outermost = ends.filter((end) => !inner.has(end)).map((outer) => withLayers(outer, innerOf, places));
  const told = new Set(outermost.flatMap((end) => end.accounts));
  // What turns in a circle has no outermost: it stays as it is.
  return [...outermost, ...ends.filter((end) => end.accounts.every((account) => !told.has(account)))];
}

function innersOf(ends: readonly End[]): ReadonlyMap<End, End> {
  const bySpan = indexBySpan(ends);
  const innerOf = new Map<End, End>();
  for (const inner of ends) {
    const [outer, ...others] = parentsOf(inner, bySpan);
    if (outer !== undefined && others.length === 0 && isLayer(outer, inner)) innerOf.set(outer, inner);
  }
  if (innerOf.size === 0) return innerOf;
  const children = new Map<End, number>();
  for (const end of ends)
    for (const parent of parentsOf(end, bySpan))
      if (innerOf.has(parent)) children.set(parent, (children.get(parent) ?? 0) + 1);
  for (const [outer, count] of children) if (count > 1) innerOf.delete(outer);
  return innerOf;
}

const isLayer = (outer: End, inner: End): boolean =>
  outer.side === inner.side &&
  outer.side !== 'local' &&
  outer.service === inner.service &&
  outer.instance === inner.instance;

function withLayers(outer: End, innerOf: ReadonlyMap<End, End>, places: Places): End {
  const layers = [outer];
  for (let next = innerOf.get(outer); next !== undefined && !layers.includes(next); next = innerOf.get(next))
    layers.push(next);
  if (layers.length === 1) return outer;
  const accounts = layers.flatMap((layer) => layer.accounts);
  return endOf({ accounts, spanIds: layers.flatMap((layer) => layer.spanIds) }, places, outer);
}
