import type { ClientBase } from 'pg';
import { ENTRY_MUTATIONS } from './entry-mutation.ts';
import { type Change, type StoredLog, write } from './stored-log.ts';
import { LOG_MUTATIONS, SHOWN_MUTATION } from './table-mutation.ts';

/** One thing that a superuser changed, and what must tell it. */
export interface Mutation {
  readonly says: string;
  readonly found: {
    readonly by: 'fsck' | 'projection';
    readonly kind: string;
    readonly leafIndex: bigint | undefined; // the first bad one, where the change is in any entry's place
  };
  /** True when a stranger who reads the log over HTTP is told too. */
  readonly isServed: boolean;
  apply(owner: ClientBase): Promise<void>;
  mend(owner: ClientBase): Promise<void>;
}

/** Computes a mutation; `random` gives whole numbers from 0 to below its argument. */
export type Make = (log: StoredLog, random: (below: number) => number) => Mutation;

interface RowChange extends Pick<Mutation, 'says' | 'found'> {
  readonly change: Change;
  readonly isServed?: boolean;
  readonly ends?: readonly number[];
}

/** A mutation of the rows that hold entries, mended by writing what stood there. */
export function byStoredRows(log: StoredLog, { says, found, change, isServed = true, ends }: RowChange): Mutation {
  const before = new Map([...change.keys()].map((first) => [first, log.rows.find((row) => row.first === first)]));
  return {
    says,
    found,
    isServed,
    apply: (owner) => write(owner, change, ends),
    mend: (owner) => write(owner, before),
  };
}

/** Whole numbers from 0 to below a bound, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Of so many mutations one is of what queries show: its check builds all of that again, and takes as long as many others. */
const SHOWN_EVERY = 100;

/** The mutation of a seed. */
export function mutationOf(seed: number, log: StoredLog): Mutation {
  const random = randomFrom(seed);
  if (random(SHOWN_EVERY) === 0) return SHOWN_MUTATION(log, random);
  const makes = [...ENTRY_MUTATIONS, ...LOG_MUTATIONS];
  const make = makes[random(makes.length)] ?? SHOWN_MUTATION;
  return make(log, random);
}
