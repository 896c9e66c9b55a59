import { type KeyObject, randomBytes } from 'node:crypto';
import type { Queryable } from '#database';
import { type ClearParty, type EntryParty, isPersonal, type SealedPerson } from '#observation';
import { addressInEntry, type Side } from './address.ts';
import { disclose, type MasterKeys, open, seal } from './seal.ts';
import { insertPersons, type PersonRow, selectPersons, selectPersonsByRef } from './sql/person.ts';

interface Person {
  readonly ref: string;
  readonly key: KeyObject;
}

/** Persons a process remembers; beyond it the oldest is forgotten and read again. */
const REMEMBERED = 20_000;
/** How long it remembers one, so that an erased person's key is not used for longer. */
const REMEMBERED_MS = 60_000;

/**
 * The person table: who has which reference and key. A person's row is durable before any entry names the reference; a
 * crash in between leaves a row nothing refers to.
 */
export class Persons {
  readonly #logId: number;
  readonly #origin: string;
  readonly #keys: MasterKeys;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly person: Person; readonly until: number }>();

  /** `now` in milliseconds of a clock that never goes back. */
  constructor(
    log: { readonly logId: number; readonly origin: string },
    keys: MasterKeys,
    now: () => number = () => performance.now(),
  ) {
    this.#logId = log.logId;
    this.#origin = log.origin;
    this.#keys = keys;
    this.#now = now;
  }

  /**
   * Gives every person among `parties` a durable row and returns how each party stands in an entry. The answer holds its
   * own keys, so that forgetting in between harms nothing.
   *
   * A person is sealed once for each call, and that value stands at all their mentions in it: a reference has one
   * (issuer, id), so equal values tell of two entries what their equal references tell already, and the key that opens
   * one mention opens others of that same name only. It is a copy, not a second encryption: every sealing has its own
   * salt, hence its own key, and no key meets two texts. Another call seals anew.
   */
  async introduce(writer: Queryable, parties: Iterable<ClearParty>): Promise<(party: ClearParty) => EntryParty> {
    const wanted = new Map<string, ClearParty>();
    for (const party of parties) if (isPersonal(party)) wanted.set(nameOf(party), party);
    const present = new Map([...wanted.keys()].flatMap((name) => this.#recall(name)));
    const missing = new Map(
      [...wanted].flatMap(([name, party]) => (present.has(name) ? [] : [[this.#lookup(party), name] as const])),
    );
    for (const [lookup, person] of missing.size === 0 ? [] : await this.#enrol(writer, [...missing.keys()])) {
      const name = missing.get(lookup);
      if (name === undefined) throw new TypeError('persons: a row that was not asked for');
      present.set(name, person);
      this.#remember(name, person);
    }
    return this.#writing(present);
  }

  #writing(present: ReadonlyMap<string, Person>): (party: ClearParty) => EntryParty {
    const sealed = new Map<string, string>();
    return (party) => {
      if (!isPersonal(party)) return party;
      const name = nameOf(party);
      const person = present.get(name);
      if (person === undefined) throw new TypeError('persons: a party that was not introduced');
      let text = sealed.get(name);
      if (text === undefined) {
        text = seal(person.key, this.#origin, party.id);
        sealed.set(name, text);
      }
      const { type, issuer, basis } = party;
      const { ref } = person;
      return issuer === undefined ? { type, basis, ref, sealed: text } : { type, issuer, basis, ref, sealed: text };
    };
  }

  /** What stands for an address in an entry. */
  address = (address: string, side: Side): string => addressInEntry(address, side, this.#keys.tag);

  /** The reference a person has, if they are known to this log. */
  async findRef(reader: Queryable, party: Pick<ClearParty, 'issuer' | 'id'>): Promise<string | undefined> {
    const lookup = this.#keys.lookup(party.issuer ?? '', party.id);
    return (await selectPersons(reader, this.#logId, [lookup]))[0]?.ref;
  }

  /** Opens sealed persons for a reader who may see them: `sealed` -> id; those erased are left out. */
  open(reader: Queryable, persons: readonly SealedPerson[]): Promise<ReadonlyMap<string, string>> {
    return this.#withKeys(reader, persons, (key, sealed) => open(key, this.#origin, sealed));
  }

  /** `sealed` -> the key that opens this value and no other, to give away; those erased are left out. */
  disclose(reader: Queryable, persons: readonly SealedPerson[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#withKeys(reader, persons, disclose);
  }

  async #withKeys<T>(
    reader: Queryable,
    persons: readonly SealedPerson[],
    use: (key: KeyObject, sealed: string) => T,
  ): Promise<ReadonlyMap<string, T>> {
    const rows = await selectPersonsByRef(reader, this.#logId, [...new Set(persons.map((person) => person.ref))]);
    const keys = new Map(rows.map((row) => [row.ref, this.#keys.unwrap(row.wrappedKey, row.ref)]));
    const used = new Map<string, T>();
    for (const { ref, sealed } of persons) {
      const key = keys.get(ref);
      if (key !== undefined && !used.has(sealed)) used.set(sealed, use(key, sealed));
    }
    return used;
  }

  #lookup = (party: ClearParty): string => this.#keys.lookup(party.issuer ?? '', party.id).toString('hex');

  async #enrol(writer: Queryable, lookups: readonly string[]): Promise<(readonly [string, Person])[]> {
    const bytes = lookups.map((lookup) => Buffer.from(lookup, 'hex'));
    const found = (await selectPersons(writer, this.#logId, bytes)).map(this.#unwrap);
    const there = new Set(found.map(([lookup]) => lookup));
    const strangers = bytes.filter((lookup) => !there.has(lookup.toString('hex')));
    if (strangers.length === 0) return found;
    await insertPersons(
      writer,
      this.#logId,
      strangers.map((lookup) => ({ lookup, ...this.#invent() })),
    );
    // Another server may have been first: its row is the person's.
    return [...found, ...(await selectPersons(writer, this.#logId, strangers)).map(this.#unwrap)];
  }

  #unwrap = (row: PersonRow): readonly [string, Person] => [
    row.lookup.toString('hex'),
    { ref: row.ref, key: this.#keys.unwrap(row.wrappedKey, row.ref) },
  ];

  #invent(): { ref: string; wrappedKey: Buffer } {
    const ref = `p_${randomBytes(16).toString('hex')}`;
    return { ref, wrappedKey: this.#keys.wrap(randomBytes(32), ref) };
  }

  #recall(name: string): (readonly [string, Person])[] {
    const known = this.#known.get(name);
    if (known === undefined) return [];
    if (known.until > this.#now()) return [[name, known.person]];
    this.#known.delete(name);
    return [];
  }

  #remember(name: string, person: Person): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(name, { person, until: this.#now() + REMEMBERED_MS });
  }
}

/** A party as a key in memory; its keyed hash, which the table knows it by, is made only when that is asked. */
const nameOf = ({ issuer = '', id }: ClearParty): string => `${issuer.length}:${issuer}${id}`;
