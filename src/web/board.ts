import type { Chain, Gap, Hop } from '#chains';

/** What a drawing needs of a chain; parties do not matter to it. */
export type Drawable = Pick<Chain<unknown>, 'links' | 'gaps'> & { readonly hops: readonly Hop<unknown>[] };

/** A column of the drawing. `entrance` is where calls come in that nobody inside made; there is at most one, the first. */
export type Lane =
  | { readonly kind: 'entrance' }
  /** `reports` is false when only others speak of the service. */
  | { readonly kind: 'service'; readonly name: string; readonly reports: boolean };

/** Where a hop's line begins or ends. A `gap` and an `unnamed` end stand beside a lane and are no lane: never a root. */
export type HopEnd =
  | { readonly kind: 'lane'; readonly lane: number }
  | { readonly kind: 'gap'; readonly beside: number; readonly gap: Gap }
  | { readonly kind: 'unnamed'; readonly beside: number };

/** One hop: a line from one end to the other, in tree order from the top. */
export interface Row {
  readonly hop: Hop<unknown>;
  readonly from: HopEnd;
  readonly to: HopEnd;
  readonly gaps: readonly Gap[];
}

/** One link: from the end of one row's hop to the start of another's. `slot` keeps overlapping ones apart. */
export interface Tie {
  readonly link: Drawable['links'][number];
  readonly fromRow: number;
  readonly toRow: number;
  readonly fromLane: number;
  readonly toEnd: HopEnd;
  readonly slot: number;
}

export interface Board {
  readonly lanes: readonly Lane[];
  readonly rows: readonly Row[];
  readonly ties: readonly Tie[];
}

const NO_CALLER: readonly Gap['kind'][] = ['callee_without_caller', 'unsampled'];

/** Lays a chain out: services as lanes in order of first appearance, hops as rows, links as ties. Pure; total. */
export function boardOf(chain: Drawable): Board {
  const gapsOf = (hop: Hop<unknown>) => chain.gaps.filter((gap) => gap.hop === hop.id);
  const led = new Set(chain.links.map((link) => link.to));
  const lanes = lanesOf(chain.hops, (hop) => entersAt(hop, gapsOf(hop), led));
  const laneOf = (name: string) => lanes.findIndex((lane) => lane.kind === 'service' && lane.name === name);
  const rows = chain.hops.map((hop): Row => {
    const gaps = gapsOf(hop);
    const to = hop.to === null ? null : laneOf(hop.to.name);
    const from = hop.from === null ? null : laneOf(hop.from.name);
    const start = (): HopEnd => {
      if (from !== null) return { kind: 'lane', lane: from };
      if (entersAt(hop, gaps, led)) return { kind: 'lane', lane: 0 };
      return besideLane(
        to ?? 0,
        gaps.find((gap) => NO_CALLER.includes(gap.kind)),
      );
    };
    const end = (): HopEnd => {
      if (to !== null) return { kind: 'lane', lane: to };
      return besideLane(
        from ?? 0,
        gaps.find((gap) => gap.kind === 'caller_without_callee'),
      );
    };
    return { hop, from: start(), to: end(), gaps };
  });
  return { lanes, rows, ties: tiesOf(chain, rows) };
}

/** A hop enters from outside when no caller is named, nothing led to it, and no gap says that a caller is missing. */
const entersAt = (hop: Hop<unknown>, gaps: readonly Gap[], led: ReadonlySet<string>): boolean =>
  hop.from === null && !led.has(hop.id) && !gaps.some((gap) => NO_CALLER.includes(gap.kind));

const besideLane = (beside: number, gap: Gap | undefined): HopEnd =>
  gap === undefined ? { kind: 'unnamed', beside } : { kind: 'gap', beside, gap };

function lanesOf(hops: readonly Hop<unknown>[], enters: (hop: Hop<unknown>) => boolean): readonly Lane[] {
  const reports = new Map<string, boolean>();
  for (const { from, to } of hops) {
    for (const each of [from, to]) {
      if (each !== null) reports.set(each.name, each.reported || (reports.get(each.name) ?? false));
    }
  }
  const services = [...reports].map(([name, does]): Lane => ({ kind: 'service', name, reports: does }));
  return hops.some(enters) ? [{ kind: 'entrance' }, ...services] : services;
}

function tiesOf(chain: Drawable, rows: readonly Row[]): readonly Tie[] {
  const rowOf = new Map(rows.map((row, i) => [row.hop.id, i]));
  const ties: Tie[] = [];
  for (const link of chain.links) {
    const [fromRow, toRow] = [rowOf.get(link.from), rowOf.get(link.to)];
    const [source, target] = [rows[fromRow ?? -1], rows[toRow ?? -1]];
    if (fromRow === undefined || toRow === undefined || source === undefined || target === undefined) continue;
    const tie = { link, fromRow, toRow, fromLane: laneNear(source.to), toEnd: target.from };
    ties.push({ ...tie, slot: freeSlot(tie, ties) });
  }
  return ties;
}

/** The lane an end stands on or beside. */
export const laneNear = (end: HopEnd): number => (end.kind === 'lane' ? end.lane : end.beside);

/** The lowest slot on the tie's lane that no tie of another grade or source occupies over the same rows. */
function freeSlot(tie: Omit<Tie, 'slot'>, placed: readonly Tie[]): number {
  const span = (each: Omit<Tie, 'slot'>) => [Math.min(each.fromRow, each.toRow), Math.max(each.fromRow, each.toRow)];
  const [top = 0, bottom = 0] = span(tie);
  const taken = placed.filter((other) => {
    const [otherTop = 0, otherBottom = 0] = span(other);
    const same = other.fromRow === tie.fromRow && other.link.grade === tie.link.grade && tie.link.grade !== 'ambiguous';
    return other.fromLane === tie.fromLane && !same && otherTop < bottom && top < otherBottom;
  });
  let slot = 0;
  while (taken.some((other) => other.slot === slot)) slot += 1;
  return slot;
}
