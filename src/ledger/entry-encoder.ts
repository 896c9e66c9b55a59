import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Queryable } from '#database';
import { checkEntry, encodeEntry, type Observation, ObservationError, partiesIn } from '#observation';
import type { Pending } from './batch.ts';
import type { Persons } from './persons.ts';
import { sealEntry } from './seal-entry.ts';

/** An observation as it may enter the ledger, or why it may not. */
export type Encoded =
  | { readonly kind: 'encoded'; readonly entry: Pending }
  | { readonly kind: 'refused'; readonly reason: string };

/** Sealing this many takes a few milliseconds; in between the process does other work. */
const SLICE = 64;

/**
 * Makes entries of observations, one for one. The persons they name are in the person table when this resolves, and none
 * of them stands in an entry in clear. What the schema or the size limit forbids is refused: an entry that no reader
 * accepts could never be taken back.
 */
export async function encodeObservations(
  observations: readonly Observation[],
  persons: Persons,
  writer: Queryable,
): Promise<Encoded[]> {
  const party = await persons.introduce(
    writer,
    observations.flatMap((observation) => partiesIn(observation)),
  );
  const encoded: Encoded[] = [];
  for (const [i, observation] of observations.entries()) {
    if (i > 0 && i % SLICE === 0) await yieldToOthers();
    encoded.push(encode(observation, { party, address: persons.address }));
  }
  return encoded;
}

function encode(observation: Observation, sealing: Parameters<typeof sealEntry>[1]): Encoded {
  try {
    const bytes = encodeEntry(checkEntry(sealEntry(observation, sealing)));
    return { kind: 'encoded', entry: { id: observation.id, bytes } };
  } catch (error) {
    if (error instanceof ObservationError) return { kind: 'refused', reason: error.message };
    throw error;
  }
}
