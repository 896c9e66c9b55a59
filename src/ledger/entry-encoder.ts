import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Queryable } from '#database';
import { type ClearParty, checkEntry, encodeEntry, type Observation, ObservationError, partiesIn } from '#observation';
import type { Pending } from './batch.ts';
import type { Persons } from './persons.ts';
import { type Sealing, sealEntry } from './seal-entry.ts';

/** An observation as it may enter the ledger, or why it may not. */
export type Encoded =
  | { readonly kind: 'encoded'; readonly entry: Pending }
  | { readonly kind: 'refused'; readonly reason: string };

/** Sealing this many takes a few milliseconds; in between the process does other work. */
const SLICE = 128;

/** Makes entries of observations. One for each log that is written to. */
export class EntryEncoder {
  readonly #persons: Persons;
  #last: Promise<unknown> = Promise.resolve();

  constructor(persons: Persons) {
    this.#persons = persons;
  }

  /**
   * Makes entries of observations, one for one. The persons they name are in the person table when this resolves, and none
   * of them stands in an entry in clear. What the schema or the size limit forbids is refused: an entry that no reader
   * accepts could never be taken back.
   */
  async encode(observations: readonly Observation[], writer: Queryable): Promise<readonly Encoded[]> {
    const party = await this.#persons.introduce(writer, everyoneIn(observations));
    // Call by call: taking turns slice by slice, all would be ready last, and all they hold would live until then.
    const encoded = this.#last.then(() => encodeAll(observations, { party, address: this.#persons.address }));
    const done = () => undefined; // a failure is told to its own caller
    this.#last = encoded.then(done, done);
    return encoded;
  }
}

function* everyoneIn(observations: readonly Observation[]): Generator<ClearParty> {
  for (const observation of observations) yield* partiesIn(observation);
}

async function encodeAll(observations: readonly Observation[], sealing: Sealing): Promise<Encoded[]> {
  const encoded: Encoded[] = [];
  for (const [i, observation] of observations.entries()) {
    if (i > 0 && i % SLICE === 0) await yieldToOthers();
    encoded.push(encode(observation, sealing));
  }
  return encoded;
}

function encode(observation: Observation, sealing: Sealing): Encoded {
  try {
    const bytes = encodeEntry(checkEntry(sealEntry(observation, sealing)));
    return { kind: 'encoded', entry: { id: observation.id, bytes } };
  } catch (error) {
    if (error instanceof ObservationError) return { kind: 'refused', reason: error.message };
    throw error;
  }
}
