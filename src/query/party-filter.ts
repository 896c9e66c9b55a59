import { clearPartyKey } from '#chains';
import type { Queryable } from '#database';
import { type ClearParty, PartyType } from '#observation';
import { searchable } from '#projection';
import { selectPartyKeysById } from './sql/party.ts';

/** Finds the reference a person has in this log, by keyed hash: the id itself is stored nowhere. */
export interface PersonFinder {
  findRef(party: Pick<ClearParty, 'issuer' | 'id'>): Promise<string | undefined>;
}

const TYPES: readonly string[] = PartyType.enum;
const isPerson = (type: string): boolean => type === 'user' || type === 'unknown';

/**
 * The exact keys that a filter names: a key (`p_…` or `type|issuer|id`), `issuer|id` of whatever type, or an id alone, of
 * whatever issuer (persons: of none). Never similar names. Empty when nobody is known by it.
 */
export async function partyKeysOf(
  text: string,
  { db, logId, persons }: { readonly db: Queryable; readonly logId: number; readonly persons: PersonFinder },
): Promise<readonly string[]> {
  if (/^p_[0-9a-f]{32}$/.test(text)) return [text];
  const [head = '', ...rest] = text.split('|');
  if (rest.length === 0) {
    return [...(await selectPartyKeysById(db, logId, searchable(text))), ...(await refsOf(persons, undefined, text))];
  }
  if (TYPES.includes(head) && rest.length > 1) {
    const [issuer = '', ...id] = rest;
    return isPerson(head) ? refsOf(persons, unescapeIssuer(issuer), id.join('|')) : [searchable(text)];
  }
  const id = rest.join('|');
  const clear = TYPES.filter((type) => !isPerson(type)).map((type) => searchable(clearPartyKey(type, head, id)));
  return [...clear, ...(await refsOf(persons, head, id))];
}

async function refsOf(persons: PersonFinder, issuer: string | undefined, id: string): Promise<readonly string[]> {
  const ref = await persons.findRef({ id, ...(issuer === undefined || issuer === '' ? {} : { issuer }) });
  return ref === undefined ? [] : [ref];
}

/** The reverse of how a key escapes an issuer. */
const unescapeIssuer = (issuer: string): string => issuer.replace(/%7C|%25/g, (found) => (found === '%7C' ? '|' : '%'));
