import type { AnyValue } from '@opentelemetry/api';

/** What a party is. `unknown` is sealed by the ledger like a person. */
export type PartyType = 'user' | 'service' | 'ai_agent' | 'device' | 'unknown';

/** How an identity came to be known: see the observation schema. `token`: from a verified one; `attribute`: set by the program. */
export type Basis = 'proof' | 'token' | 'assertion' | 'header' | 'attribute' | 'resource' | 'unverified';

/** Anyone who acts or is acted for, identified by (issuer, id), compared exactly. */
export interface Party {
  readonly type: PartyType;
  readonly issuer?: string;
  readonly id: string;
  readonly basis: Basis;
}

/** What a party is when its token does not say; without it `unknown`. */
export interface AssumedTypes {
  readonly subject?: PartyType;
  readonly actor?: PartyType;
}

/** A party as the map that goes into an attribute (semconv.ts). */
export const partyAttribute = ({ type, issuer, id, basis }: Party): AnyValue =>
  issuer === undefined ? { type, id, basis } : { type, issuer, id, basis };

/** Values of `sub_profile` (draft-mora-oauth-entity-profiles); a person is looked for first, so that one is never in clear. */
const BY_PROFILE: readonly (readonly [profile: string, type: PartyType])[] = [
  ['user', 'user'],
  ['ai_agent', 'ai_agent'],
  ['device', 'device'],
  ['service', 'service'],
  ['native_app', 'service'],
  ['web_app', 'service'],
  ['browser_app', 'service'],
];

/** The type that a space-delimited, case-insensitive `sub_profile` names, if it names one. */
export function typeOfProfile(profile: unknown): PartyType | undefined {
  if (typeof profile !== 'string') return undefined;
  const named = new Set(profile.toLowerCase().split(' '));
  return BY_PROFILE.find(([name]) => named.has(name))?.[1];
}
