import Type, { type Static } from 'typebox';

/** What a party is. `unknown` is sealed like a person: it may be one. */
export const PartyType = Type.Enum(['user', 'service', 'ai_agent', 'device', 'unknown']);
export type PartyType = Static<typeof PartyType>;

/**
 * How an identity came to be known, strongest first: proof of possession, verified bearer token, signed edge
 * assertion, unsigned header, attribute the program set, resource attribute (`service.name`), unverified token.
 */
export const Basis = Type.Enum(['proof', 'token', 'assertion', 'header', 'attribute', 'resource', 'unverified']);
export type Basis = Static<typeof Basis>;

export const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

const identity = { type: PartyType, issuer: Type.Optional(Text(2048)), basis: Basis };

/** A party as a reporter names it: (issuer, id), compared exactly, never by similar names. */
export const ClearParty = Type.Object({ ...identity, id: Text(2048) }, { additionalProperties: false });
export type ClearParty = Static<typeof ClearParty>;

/**
 * A party as an entry holds it. Persons (`user`, `unknown`) are a random reference plus their id sealed under the
 * person's key; everyone else is in clear. No issuer or id of a person stands in an entry unsealed but the issuer.
 */
export const SealedPerson = Type.Object(
  { ...identity, ref: Type.String({ pattern: '^p_[0-9a-f]{32}$' }), sealed: Text(8192) },
  { additionalProperties: false },
);
export const EntryParty = Type.Union([ClearParty, SealedPerson]);
export type SealedPerson = Static<typeof SealedPerson>;
export type EntryParty = Static<typeof EntryParty>;

/** True when a party must not appear in clear in an entry. */
export const isPersonal = (party: { readonly type: PartyType }): boolean =>
  party.type === 'user' || party.type === 'unknown';
