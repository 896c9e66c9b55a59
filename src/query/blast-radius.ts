import {
  boundaryGapsOf,
  type Chain,
  type Origin,
  type PossibleOrigin,
  type Reached,
  type ReachQuestion,
  reachOf,
} from '#chains';
import type { EntryParty } from '#observation';
import { searchable } from '#projection';
import type { BlastRadiusAnswer, PartyView } from './answers.ts';
import { logPosition, type QueryContext } from './context.ts';
import { periodOf } from './filter.ts';
import { partyKeysOf } from './party-filter.ts';
import { type Opened, openParties } from './party-view.ts';
import { possibleFrom, possibleTo } from './possible.ts';
import { QueryProblem } from './problem.ts';
import type { BlastRadiusParameters } from './schema/parameter.ts';
import { type OriginFilter, selectOriginChains } from './sql/reach.ts';

/** Most chains that one answer rests on: the newest of the period. */
const MAX_CHAINS = 300;

/** What somebody or something reached, and could have reached; or, backwards, what led to it. Throws QueryProblem. */
export async function blastRadius(
  key: string,
  given: BlastRadiusParameters,
  context: QueryContext,
): Promise<BlastRadiusAnswer> {
  const log = await logPosition(context);
  const origin = await originOf(key, given.kind ?? 'party', context);
  const period = periodOf(given);
  const limit = { ...period, limit: MAX_CHAINS };
  const bodies = await selectOriginChains(context.db, context.logId, filterOf(origin), limit);
  const chains = bodies.slice(0, MAX_CHAINS).map((body) => JSON.parse(body) as Chain);
  const direction = given.direction ?? 'forward';
  const question: ReachQuestion = { origin, direction, ...(period.from === undefined ? {} : { since: period.from }) };
  const actual = reachOf(chains, question);
  const isForward = direction === 'forward';
  const possible = isForward ? await possibleFrom(actual, origin, period, context) : undefined;
  const possibleOrigin = isForward ? undefined : await possibleTo(actual, origin, period, context);
  const opened = await openParties(context.persons, [
    ...actual.parties.map(({ what }) => what),
    ...(possibleOrigin?.sources ?? []).flatMap(({ parties }) => parties),
    ...chains.flatMap((chain) => chain.hops.flatMap(({ subject }) => subject ?? [])),
  ]);
  const isBounded = bodies.length > MAX_CHAINS || chains.some(({ completeness }) => completeness.bounded);
  return {
    origin: { kind: origin.kind, key },
    direction,
    actual: show(actual, opened),
    possible: possible === undefined ? null : { reached: possible.reached, stopped: possible.stopped },
    possibleSources: possibleOrigin === undefined ? null : showSources(possibleOrigin, opened),
    boundaryGaps: chains.flatMap(boundaryGapsOf).slice(0, MAX_CHAINS),
    completeness: { bounded: isBounded, says: saysHowComplete(bodies.length, isBounded, actual.chains) },
    log,
  };
}

async function originOf(key: string, kind: Origin['kind'], context: QueryContext): Promise<Origin> {
  if (kind === 'service' || kind === 'resource') return { kind, name: key };
  if (kind === 'party') return { kind, keys: await partyKeysOf(key, context) };
  if (/^[0-9a-f]{64}$/.test(key)) return { kind, digest: key };
  throw new QueryProblem(
    'invalid_parameter',
    'key: expected the SHA-256 of the token as 64 hex digits, never the token',
  );
}

function filterOf(origin: Origin): OriginFilter {
  switch (origin.kind) {
    case 'party':
      return { partyKeys: origin.keys };
    case 'token':
      return { digest: origin.digest };
    case 'service':
      return { service: searchable(origin.name) };
    case 'resource':
      return { resource: searchable(origin.name) };
  }
}

function show(actual: ReturnType<typeof reachOf>, { party, text }: Opened): BlastRadiusAnswer['actual'] {
  const reached = <T, S>(each: Reached<T>, what: (of: T) => S): Reached<S> => ({
    ...each,
    what: what(each.what),
    checkedBy: each.checkedBy && text(each.checkedBy),
  });
  const named = (each: Reached<string>) => reached(each, (name) => name);
  return {
    ...actual,
    services: actual.services.map(named),
    resources: actual.resources.map(named),
    parties: actual.parties.map((each) => reached<EntryParty, PartyView>(each, party)),
    stopped: actual.stopped.map((stop) => ({ ...stop, says: text(stop.says) })),
  };
}

const showSources = (
  { sources, stopped, isWhole }: PossibleOrigin & { readonly isWhole: boolean },
  { party }: Opened,
) => ({
  sources: sources.map((source) => ({ ...source, parties: source.parties.map(party) })),
  stopped,
  complete: isWhole,
});

function saysHowComplete(found: number, isBounded: boolean, touched: number): string {
  if (found > MAX_CHAINS)
    return `incomplete: only the newest ${MAX_CHAINS} chains of the period are looked at; narrow it`;
  if (isBounded) return 'incomplete: some chains hold more entries than are stitched together';
  return `complete: all ${touched} chains of the period in which it occurs; what was not reported is not in it`;
}
