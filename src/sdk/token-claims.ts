import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Anomalies } from './anomalies.ts';
import { boundedText } from './bounded-text.ts';
import { defined } from './defined.ts';
import { type Basis, type Party, type PartyType, typeOfProfile } from './party.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Beyond this a token is not decoded: the whole header section of a request is bounded likewise. */
export const MAX_TOKEN_LENGTH = 16_384;

/** The claims of a JWT nobody has verified; undefined when it is none. Only ever reported as `unverified`. */
export function unverifiedClaims(token: string): Claims | undefined {
  return token.length > MAX_TOKEN_LENGTH ? undefined : attempt(() => decodeJwt(token));
}

/** The JOSE header of a JWT nobody has verified; undefined when it is none. */
export function unverifiedHeader(token: string): Claims | undefined {
  return token.length > MAX_TOKEN_LENGTH ? undefined : attempt(() => decodeProtectedHeader(token));
}

/**
 * The subject a token names. Its type: `sub_profile`; a client acting for itself is a service (RFC 9068 section 2.2:
 * `sub` is then the client's id); else what the guard was told to assume; else unknown.
 */
export function subjectOf(
  claims: Claims,
  { basis, assumed, anomalies }: { basis: Basis; assumed?: PartyType | undefined; anomalies: Anomalies },
): Party | undefined {
  const id = boundedText(claims.sub, { max: 2048, name: 'sub', anomalies });
  if (id === undefined) return undefined;
  const issuer = boundedText(claims.iss, { max: 2048, name: 'iss', anomalies });
  const itself = claims.sub === claims.client_id ? 'service' : undefined;
  return defined({ type: typeOfProfile(claims.sub_profile) ?? itself ?? assumed ?? 'unknown', issuer, id, basis });
}

/** jose throws on anything that is not a JWT: here that is an answer. */
function attempt(read: () => Claims): Claims | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
