import type { Database } from '#database';
import type { ClearParty, SealedPerson } from '#observation';
import { asLedgerErrors } from './database-error.ts';
import { readPersonKeys } from './person-keys.ts';
import { Persons } from './persons.ts';

/** Opens what the ledger sealed, for a reader who may see it. */
export interface PersonReader {
  /**
   * `sealed` -> id. Persons who were erased are left out: nothing can tell who they were. Throws SealError for a sealed
   * value that was altered, LedgerError `unavailable` when the database does not answer.
   */
  open(persons: readonly SealedPerson[]): Promise<ReadonlyMap<string, string>>;
  /**
   * `sealed` -> the key that opens this mention and no other person's, to be given to someone who may see it. Persons who were
   * erased are left out. Throws as `open` does.
   */
  disclose(persons: readonly SealedPerson[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** The reference under which a person stands in entries; undefined when the log does not know them. */
  findRef(party: Pick<ClearParty, 'issuer' | 'id'>): Promise<string | undefined>;
}

export interface PersonReaderOptions {
  readonly database: Database;
  readonly logId: number;
  readonly origin: string;
  readonly keyFolder: string;
}

/** Reads the master key of the key folder, and makes none: throws LedgerError `key` when it is missing or open to others. */
export async function openPersonReader({
  database,
  logId,
  origin,
  keyFolder,
}: PersonReaderOptions): Promise<PersonReader> {
  const persons = new Persons({ logId, origin }, await readPersonKeys(keyFolder));
  const reader = () => database.pool('reader');
  return {
    open: (sealed) => asLedgerErrors(() => persons.open(reader(), sealed)),
    disclose: (sealed) => asLedgerErrors(() => persons.disclose(reader(), sealed)),
    findRef: (party) => asLedgerErrors(() => persons.findRef(reader(), party)),
  };
}
