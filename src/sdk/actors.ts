import type { Anomalies } from './anomalies.ts';
import { boundedText } from './bounded-text.ts';
import { type Basis, type Party, type PartyType, typeOfProfile } from './party.ts';

/** Most actors an observation may name. */
export const MAX_ACTORS = 64;
/** Room for all actors of one observation in characters, so that it fits a ledger entry whatever the token holds. */
const MAX_ACTOR_TEXT = 16_384;

export interface ActorChain {
  /** Oldest first; the last one acts now. */
  readonly actors: readonly Party[];
  /** Number of `act` objects in the token, which may be more than `actors` holds. */
  readonly depth: number;
  readonly problem?: 'act_malformed' | 'act_too_deep';
}

/**
 * Reads nested `act` (RFC 8693 section 4.1: the outermost is the current actor) into a list, oldest first. What is
 * malformed, deeper than `maxDepth` or larger than an observation holds is a problem, and kept as evidence up to 64 actors,
 * the most recent ones without a hole.
 * An actor that is named again is an anomaly and no problem: who hands on may be handed back to.
 * `issuer` stands for an actor that names none: its id is then in the namespace of the token's issuer.
 */
export function parseActors(
  act: unknown,
  o: {
    maxDepth: number;
    basis: Basis;
    issuer?: string | undefined;
    assumed?: PartyType | undefined;
    anomalies: Anomalies;
  },
): ActorChain {
  if (act === undefined) return { actors: [], depth: 0 };
  const newestFirst: Party[] = [];
  let depth = 0;
  let room = MAX_ACTOR_TEXT;
  let malformed = false;
  let full = false;
  for (let level: unknown = act; level !== undefined; ) {
    depth += 1;
    if (!isObject(level)) {
      malformed = true;
      o.anomalies.add('act_malformed', `level ${depth}: expected an object with sub, got ${nameOf(level)}`);
      break;
    }
    const actor = actorOf(level, o);
    if (actor === undefined) {
      malformed = true;
      o.anomalies.add('act_malformed', `level ${depth}: expected a sub of 1 to 2048 characters`);
    } else {
      room -= actor.id.length + (actor.issuer?.length ?? 0);
      full ||= room < 0 || newestFirst.length === MAX_ACTORS;
      if (!full) newestFirst.push(actor);
    }
    level = level.act;
  }
  const tooDeep = depth > o.maxDepth || full;
  if (tooDeep) o.anomalies.add('act_too_deep', `${depth} actors, ${newestFirst.length} kept`);
  if (hasCycle(newestFirst)) o.anomalies.add('act_cycle', 'an actor is named more than once');
  const problem = malformed ? 'act_malformed' : tooDeep ? 'act_too_deep' : undefined;
  return { actors: newestFirst.reverse(), depth, ...(problem && { problem }) };
}

function actorOf(
  act: Readonly<Record<string, unknown>>,
  { basis, issuer, assumed, anomalies }: Parameters<typeof parseActors>[1],
): Party | undefined {
  const id = boundedText(act.sub, { max: 2048, name: 'act.sub', anomalies });
  if (id === undefined) return undefined;
  const own = boundedText(act.iss, { max: 2048, name: 'act.iss', anomalies }) ?? issuer;
  const type = typeOfProfile(act.sub_profile) ?? assumed ?? 'unknown';
  return { type, id, basis, ...(own !== undefined && { issuer: own }) };
}

const hasCycle = (actors: readonly Party[]): boolean =>
  actors.length > 1 && new Set(actors.map(({ issuer, id }) => JSON.stringify([issuer, id]))).size < actors.length;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const nameOf = (value: unknown): string => (Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value);
