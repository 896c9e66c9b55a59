import type { ExchangeEntry, HopEntry } from '#observation';
import { endsOf } from './account.ts';
import type { Chain, Finding, Gap, Link, Recorded } from './chain.ts';
import { type Component, componentsOf } from './component.ts';
import { crossingsOf, type Draft } from './crossing.ts';
import { type Evidence, evidenceOf, type Surroundings, surroundingsOf } from './evidence.ts';
import { gapsOf, lateIn } from './gap.ts';
import { type History, NO_HISTORY, withEndings } from './history.ts';
import { hopOf, type UnjudgedHop } from './hop.ts';
import { type Lineage, lineageOf } from './lineage.ts';
import { linksOf } from './link.ts';
import { compare, groupBy } from './order.ts';
import { Places } from './place.ts';
import { RULES } from './rules/index.ts';
import { findingOf, type Rule } from './rules/rule.ts';
import { chainIdOf, completenessOf, exchangeOf, leafIndexesIn, summaryOf } from './summary.ts';
import { DEFAULT_THRESHOLDS, type Thresholds } from './thresholds.ts';
import { inTreeOrder } from './tree-order.ts';
import { judgeChain, judgeHop } from './verdict.ts';

/** Everything known of the whole set before it is cut into chains. */
interface Whole {
  readonly drafts: readonly Draft[];
  readonly links: readonly Link[];
  readonly lineage: Lineage;
  readonly hops: ReadonlyMap<string, UnjudgedHop>;
  readonly linksTo: ReadonlyMap<string, readonly Link[]>;
  readonly gapsBeside: ReadonlyMap<string, readonly Gap[]>;
  readonly surroundings: Surroundings;
}

export interface StitchOptions {
  /** True when entries that belong with these were left out: said in completeness, and nothing is concluded from absence. */
  readonly bounded?: boolean;
  /** What rules judge by; the defaults where nothing is given. */
  readonly thresholds?: Thresholds;
  /** What rules know from before; without it, rules that rest on it say nothing. */
  readonly history?: History;
  /** The rules that are asked; all of them where nothing is given. */
  readonly rules?: readonly Rule[];
}

/**
 * From a set of entries to the chains in it. A pure function of the set: the same entries give the same chains, byte for
 * byte, in any order and with duplicates. Links carry their grade, absences are typed, ambiguity keeps every candidate.
 */
export function stitch(recorded: readonly Recorded[], options: StitchOptions = {}): readonly Chain[] {
  const entries = distinct(recorded);
  const whole = survey(entries);
  const history = withEndings(options.history ?? NO_HISTORY, entries);
  return componentsOf(whole.drafts, whole.links, whole.lineage)
    .map((component) => chainOf(component, whole, { ...options, history }))
    .toSorted((a, b) => compare(a.id, b.id));
}

function survey(recorded: readonly Recorded[]): Whole {
  const places = new Places();
  const ends = endsOf(recorded.filter(isHop), places);
  const lineage = lineageOf(recorded.filter(isExchange), ends, places);
  const drafts = crossingsOf(ends, lineage);
  const linking = linksOf(drafts, ends, lineage);
  const { links } = linking;
  const hops = new Map(drafts.map((draft) => [draft.id, hopOf(draft)]));
  const draftOf = new Map(drafts.map((draft) => [draft.id, draft]));
  const linksTo = groupBy(links, (link) => link.to);
  const uses = groupBy([...hops.values()], (hop) => hop.authority?.digest);
  return {
    drafts,
    links,
    lineage,
    hops,
    linksTo,
    gapsBeside: groupBy(gapsOf(drafts, linking, ends, lineage), (gap) => gap.hop),
    surroundings: surroundingsOf({ hops, draftOf, linksTo, uses, lineage }),
  };
}

function chainOf(component: Component, whole: Whole, options: StitchOptions): Chain {
  const { bounded = false, thresholds = DEFAULT_THRESHOLDS, history = NO_HISTORY, rules = RULES } = options;
  const ids = component.drafts.map((draft) => draft.id);
  const links = ids
    .flatMap((id) => whole.linksTo.get(id) ?? [])
    .toSorted((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
  const unjudged = inTreeOrder(
    ids.flatMap((id) => whole.hops.get(id) ?? []),
    links,
  );
  const gaps = [...ids.flatMap((id) => whole.gapsBeside.get(id) ?? []), ...lateIn(component.drafts)].toSorted(
    (a, b) => compare(a.hop, b.hop) || compare(a.kind, b.kind),
  );
  const exchanges = component.exchanges.map(exchangeOf).toSorted((a, b) => compare(a.id, b.id));
  const findings = findingsOf(
    evidenceOf(whole.surroundings, { hops: unjudged, links, gaps, exchanges, thresholds, history }),
    rules.filter((rule) => !(bounded && rule.restsOnAbsence)),
  );
  const judged = groupBy(findings, (finding) => finding.hop ?? undefined);
  const hops = unjudged.map((hop) => judgeHop(hop, judged.get(hop.id) ?? []));
  const parts = { hops, links, exchanges, findings };
  return {
    v: 1,
    id: chainIdOf(component),
    ...summaryOf(component, hops, exchanges),
    ...parts,
    gaps,
    completeness: completenessOf(hops, gaps, bounded),
    ...judgeChain(parts, issuerHops(component, whole)),
    entries: leafIndexesIn(component),
  };
}

const findingsOf = (evidence: Evidence, rules: readonly Rule[]): readonly Finding[] =>
  rules.flatMap((rule) =>
    rule.judge(evidence).map((violation) => findingOf(rule, violation, evidence.thresholds.version)),
  );

/** Hops in whose handling an exchange took place: the issuer answered for them. */
function issuerHops({ exchanges, drafts }: Component, { lineage }: Whole): ReadonlySet<string> {
  const issuing = new Set<string>();
  for (const service of new Set(exchanges.map(({ entry }) => entry.reporter.service))) {
    for (const { id, caller, callee } of drafts) {
      const end = callee ?? caller;
      const couldBe = end !== undefined && (callee === undefined || callee.service === service);
      if (couldBe && lineage.isExchanging(end, service)) issuing.add(id);
    }
  }
  return issuing;
}

/** One of each id, the lowest leaf index where an id came twice, in order of id. */
function distinct(recorded: readonly Recorded[]): readonly Recorded[] {
  if (recorded.every(({ entry }, i) => i === 0 || (recorded[i - 1]?.entry.id ?? '') < entry.id)) return recorded;
  const byId = new Map<string, Recorded>();
  for (const each of recorded) {
    const known = byId.get(each.entry.id);
    if (known === undefined || each.leafIndex < known.leafIndex) byId.set(each.entry.id, each);
  }
  return [...byId.values()].toSorted((a, b) => compare(a.entry.id, b.entry.id));
}

const isHop = (recorded: Recorded): recorded is Recorded<HopEntry> => recorded.entry.kind === 'hop';
const isExchange = (recorded: Recorded): recorded is Recorded<ExchangeEntry> => recorded.entry.kind === 'exchange';
