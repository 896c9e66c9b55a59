import {
  type Hop,
  type Origin,
  type PossibleOrigin,
  type PossibleReach,
  type Reach,
  startPossibleOrigin,
  startPossibleReach,
  stepPossibleOrigin,
  stepPossibleReach,
  type UseEdge,
} from '#chains';
import { searchable } from '#projection';
import type { QueryContext } from './context.ts';
import { type Period, selectUse, type UseRow } from './sql/reach.ts';
import { selectPairSamples, selectUsePairs, type UsePair } from './sql/use-pair.ts';

/** Most services one after the other that observed use is followed through. */
const MAX_DEPTH = 6;
/** Most pairs of services that are looked at backwards. */
const MAX_PAIRS = 10_000;
/** Most pairs whose calls are read at each step backwards. */
const MAX_STEP = 200;

/** Forward over observed use: from the services it acted from and those it reached, with the scopes it held. */
export async function possibleFrom(
  actual: Reach,
  origin: Origin,
  period: Period,
  { db, logId }: QueryContext,
): Promise<PossibleReach> {
  const services = [...ownOf(origin), ...actual.from, ...actual.services.map(({ what }) => what)];
  let search = startPossibleReach(services.map(searchable), actual.scopes);
  for (let depth = 0; depth < MAX_DEPTH && search.frontier.length > 0; depth += 1)
    search = stepPossibleReach(search, edgesOf(await selectUse(db, logId, search.frontier, period)));
  return search;
}

/** Backward over observed use: from where the effect was to every service that could have led there. `isWhole`: all was looked at. */
export async function possibleTo(
  actual: Reach,
  origin: Origin,
  period: Period,
  { db, logId }: QueryContext,
): Promise<PossibleOrigin & { readonly isWhole: boolean }> {
  const pairs = await selectUsePairs(db, logId, MAX_PAIRS + 1);
  const callers = Map.groupBy(pairs, ({ to }) => to);
  let isWhole = pairs.length <= MAX_PAIRS;
  let search = startPossibleOrigin([...ownOf(origin), ...actual.at].map(searchable));
  for (let depth = 0; depth < MAX_DEPTH && search.frontier.length > 0; depth += 1) {
    const { paths, frontier } = search;
    const next: readonly UsePair[] = frontier
      .flatMap((service) => callers.get(service) ?? [])
      .filter(({ from }) => !paths.has(from));
    if (next.length > MAX_STEP) isWhole = false;
    search = stepPossibleOrigin(search, edgesOf(await selectPairSamples(db, logId, next.slice(0, MAX_STEP), period)));
  }
  return { ...search, isWhole: isWhole && search.frontier.length === 0 };
}

const ownOf = (origin: Origin): readonly string[] => (origin.kind === 'service' ? [origin.name] : []);

const edgesOf = (rows: readonly UseRow[]): readonly UseEdge[] =>
  [...Map.groupBy(rows, ({ from, to }) => JSON.stringify([from, to])).values()].flatMap(edgeOf);

function edgeOf(rows: readonly UseRow[]): UseEdge[] {
  const [first] = rows;
  return first === undefined
    ? []
    : [{ from: first.from, to: first.to, sample: rows.map(({ body }) => JSON.parse(body) as Hop) }];
}
