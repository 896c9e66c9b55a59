import { type Chain, joinKeysOf, type Recorded, stitchAsOf } from '#chains';
import type { Queryable } from '#database';
import type { Entry } from '#observation';
import { type Arrival, assign } from './assign.ts';
import { historiesOf } from './history.ts';
import { selectMembersBefore } from './sql/as-of.ts';
import { thresholdsOf } from './thresholds.ts';

/** Chains as they were known, and the entries they were stitched from. */
export interface KnownThen {
  readonly chains: readonly Chain[];
  readonly recorded: readonly Recorded[];
}

/**
 * What the entries that these chains rest on now gave when the log held `size` entries: assigned to sets and stitched as the
 * projection did then, with the history of then, judged by the thresholds of now. What belonged together only by later entries comes apart again. A set
 * that was cut at a limit since says that it is bounded, whether it was then or not.
 */
export async function chainsAsOf(
  db: Queryable,
  logId: number,
  chainIds: readonly string[],
  size: bigint,
): Promise<KnownThen> {
  const members = await selectMembersBefore(db, logId, chainIds, size);
  const recorded = members.map(({ leafIndex, bytes }) => ({ leafIndex, entry: known(bytes) }));
  const { setOf, sets: states } = assign(recorded.map(arrivalOf), { keys: new Map(), sets: new Map() });
  const bySet = Map.groupBy(recorded, ({ leafIndex }) => setOf.get(leafIndex) ?? leafIndex);
  const sets = [...bySet].map(([set, entries]) => ({ set, recorded: entries }));
  const historyOf = await historiesOf(db, logId, sets);
  const thresholds = await thresholdsOf(db, logId);
  const isCutNow = members.some(({ bounded }) => bounded);
  const chains = sets.flatMap(({ set, recorded }) =>
    stitchAsOf(recorded, size, {
      bounded: isCutNow || states.get(set)?.bounded === true,
      history: historyOf(set),
      thresholds,
    }),
  );
  return { chains, recorded };
}

const arrivalOf = ({ leafIndex, entry }: Recorded): Arrival => ({
  leafIndex,
  keys: joinKeysOf(entry).map(({ kind, value }) => ({ kind, key: `${kind} ${value}` })),
});

/** Bytes whose entry was read and checked when it was projected: ledger entries do not change. */
const known = (bytes: Uint8Array): Entry => JSON.parse(Buffer.from(bytes).toString('utf8')) as Entry;
