import type { Chain } from '#chains';
import { chainsAsOf, type KnownThen } from '#projection';
import type { QueryContext } from './context.ts';
import { parseMoment } from './moment.ts';
import { QueryProblem } from './problem.ts';
import { selectProjected } from './sql/chain.ts';
import { selectCheckpointFrom } from './sql/checkpoint.ts';

/** Up to so many digits a number is a tree size; the nanoseconds of any day since April 1970 have more. */
const SIZE_DIGITS = 15;

/**
 * The tree size that a reader means: the number itself, or that of the last checkpoint published up to a moment. Throws
 * QueryProblem `invalid_parameter` for a size that chains do not reach yet, and for a moment before the first checkpoint.
 */
export async function sizeAsOf(asOf: string, context: QueryContext): Promise<bigint> {
  const { position } = await selectProjected(context.db, context.logId);
  if (!/^\d+$/.test(asOf) || asOf.length > SIZE_DIGITS)
    return sizeAtMoment(BigInt(parseMoment(asOf, 'asOf')), BigInt(position), context);
  if (BigInt(asOf) > BigInt(position)) {
    throw new QueryProblem(
      'invalid_parameter',
      `asOf: chains take account of ${position} entries so far; expected no more, or a moment of at least 16 digits or in RFC 3339`,
    );
  }
  return BigInt(asOf);
}

/** Checkpoints grow with time: the last one up to a moment is found by halving, by the primary key alone. */
async function sizeAtMoment(moment: bigint, largest: bigint, { db, logId }: QueryContext): Promise<bigint> {
  let [known, above]: [bigint | undefined, bigint] = [undefined, largest + 1n];
  for (let low = 0n; low < above; ) {
    const middle = (low + above) / 2n;
    const next = await selectCheckpointFrom(db, logId, middle);
    if (next === undefined || BigInt(next.nanoseconds) > moment) above = middle;
    else {
      known = BigInt(next.size);
      low = known + 1n;
    }
  }
  if (known !== undefined) return known < largest ? known : largest;
  throw new QueryProblem('invalid_parameter', 'asOf: no checkpoint was published by then; ask for a later moment');
}

/**
 * The one chain that this id meant at a tree size: by its name of then, a trace, a transaction or an observation in it, or by
 * what became of it since. `now` are the chains of today that the id means. Throws QueryProblem.
 */
export async function chainAsOf(
  id: string,
  now: readonly Chain[],
  size: bigint,
  { db, logId }: QueryContext,
): Promise<Chain> {
  const ids = now.map((chain) => chain.id);
  const then = await chainsAsOf(db, logId, ids, size);
  const named = then.chains.filter((chain) => isMeant(chain, id, then));
  const today = new Set(now.flatMap(({ entries }) => entries));
  const meant = named.length > 0 ? named : then.chains.filter(({ entries }) => entries.some((leaf) => today.has(leaf)));
  const [found, ...others] = meant;
  if (found === undefined)
    throw new QueryProblem('chain_not_found', `at tree size ${size} nothing of this chain was known`);
  if (others.length === 0) return found;
  const names = meant.map((chain) => chain.id).join(', ');
  throw new QueryProblem(
    'several_chains',
    `at tree size ${size} this was several chains: ${names}; ask for one of them`,
  );
}

function isMeant(chain: Chain, id: string, { recorded }: KnownThen): boolean {
  if ([chain.id, ...chain.traceIds, ...chain.transactions].includes(id)) return true;
  const bare = id.replace(/^c_/, '').replaceAll('-', '');
  return recorded.some(
    ({ leafIndex, entry }) => entry.id.replaceAll('-', '') === bare && chain.entries.includes(String(leafIndex)),
  );
}
