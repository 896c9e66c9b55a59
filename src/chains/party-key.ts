import type { EntryParty } from '#observation';

/** Names a party exactly: a person's reference, or type, issuer and id. Never compares similar names. */
export const partyKey = (party: EntryParty): string =>
  'ref' in party ? party.ref : JSON.stringify([party.type, party.issuer ?? '', party.id]);

/** A party in a sentence. Persons stand as their reference; the reader's edge may put the name in its place. */
export const describeParty = (party: EntryParty): string => `${party.type} ${'ref' in party ? party.ref : party.id}`;

/** How strong a basis is, 0 the strongest. */
export const basisRank = (party: EntryParty): number => BASES.indexOf(party.basis);
const BASES: readonly EntryParty['basis'][] = [
  'proof',
  'token',
  'assertion',
  'header',
  'attribute',
  'resource',
  'unverified',
];
