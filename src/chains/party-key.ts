import type { EntryParty } from '#observation';

/** Names a party exactly: a person's reference, or `type|issuer|id`. Never compares similar names. */
export const partyKey = (party: EntryParty): string =>
  'ref' in party ? party.ref : clearPartyKey(party.type, party.issuer ?? '', party.id);

/** The key of a party in clear. A bar in the issuer is escaped, so that no two parties share a key. */
export const clearPartyKey = (type: string, issuer: string, id: string): string =>
  `${type}|${/[%|]/.test(issuer) ? escapeIssuer(issuer) : issuer}|${id}`;

const escapeIssuer = (issuer: string): string => issuer.replace(/[%|]/g, (found) => (found === '|' ? '%7C' : '%25'));

/** A party in a sentence. Persons stand as their reference; the reader's edge may put the name in its place. */
export const describeParty = (party: EntryParty): string => `${party.type} ${'ref' in party ? party.ref : party.id}`;

/** How strong a basis is, 0 the strongest. */
export const basisRank = ({ basis }: EntryParty): number => BASIS_RANK[basis];
/** Known from something signed or proven; the others are a program's word. */
export const isSigned = (party: EntryParty): boolean => ['proof', 'token', 'assertion'].includes(party.basis);
const BASIS_RANK: Readonly<Record<EntryParty['basis'], number>> = {
  proof: 0,
  token: 1,
  assertion: 2,
  header: 3,
  attribute: 4,
  resource: 5,
  unverified: 6,
};
