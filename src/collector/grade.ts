import type { ClearParty } from '#observation';
import type { Notes } from './notes.ts';

interface Claimed {
  readonly binding?: unknown;
  readonly verification?: { readonly status?: unknown };
}

/** Bindings of a token to a key its holder proved to have. */
const PROVEN_BINDINGS: readonly unknown[] = ['dpop', 'mtls', 'wpt', 'httpsig'];

type Cap = (party: ClearParty, field: string) => ClearParty;

/**
 * Lowers a party's basis to what the same account supports: `token` needs a verification that succeeded, `proof` a
 * binding besides. A claim is never raised.
 */
export function capBasis(authority: Claimed | undefined, notes: Notes): Cap {
  const isVerified = authority?.verification?.status === 'verified';
  const isProven = isVerified && PROVEN_BINDINGS.includes(authority?.binding);
  return (party, field) => {
    if (party.basis === 'proof' && !isProven) return lower(party, isVerified ? 'token' : 'unverified', field, notes);
    if (party.basis === 'token' && !isVerified) return lower(party, 'unverified', field, notes);
    return party;
  };
}

/** Whoever performs an exchange has read the token itself (RFC 8693 section 2.1); possession was not part of it. */
export const capExchangeBasis =
  (notes: Notes): Cap =>
  (party, field) =>
    party.basis === 'proof' ? lower(party, 'token', field, notes) : party;

function lower(party: ClearParty, basis: ClearParty['basis'], field: string, notes: Notes): ClearParty {
  notes.warn('basis_lowered', `${field}: ${party.basis} was claimed, ${basis} is what the account supports`);
  return { ...party, basis };
}
