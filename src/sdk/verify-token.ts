import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { parseActors } from './actors.ts';
import type { Anomalies } from './anomalies.ts';
import { type Authority, authorityClaims, type Verification } from './authority.ts';
import { boundedText } from './bounded-text.ts';
import { defined } from './defined.ts';
import { KeysUnavailable } from './issuer-keys.ts';
import type { AssumedTypes, Basis, Party } from './party.ts';
import type { RefusalCode } from './refusal.ts';
import { type Claims, MAX_TOKEN_LENGTH, subjectOf, unverifiedClaims, unverifiedHeader } from './token-claims.ts';
import { tokenDigest } from './token-digest.ts';

/** What a token says, and whether it was verified. Never the token. */
export interface TokenReading {
  readonly subject?: Party;
  /** Oldest first. */
  readonly actors: readonly Party[];
  readonly authority: Authority;
  /** Why the token is not accepted. */
  readonly refused?: RefusalCode;
}

export interface TokenRules {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Asymmetric JWS algorithms. */
  readonly algorithms: readonly string[];
  readonly clockToleranceSeconds: number;
  readonly maxActors: number;
  readonly assume: AssumedTypes;
  /** Who verifies: this service's name. */
  readonly by: string;
}

/** Signatures that anyone holding only public keys can check; HMAC and `none` are not among them. */
export const ASYMMETRIC_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const;

/** `at+jwt` is RFC 9068; plain `JWT` or nothing is what most issuers write. Every other type is another kind of token. */
const ACCESS_TOKEN_TYPES = new Set(['at+jwt', 'application/at+jwt']);
const PLAIN_TYPES = new Set(['jwt', 'jose']);

/** Verifies a bearer JWT and reads it; a token that fails is read too, as evidence, and its parties are `unverified`. */
export async function verifyToken(token: string, rules: TokenRules, anomalies: Anomalies): Promise<TokenReading> {
  const refused = await check(token, rules);
  const reading = readToken(token, {
    verification: { ...outcomeOf(refused), by: rules.by },
    maxActors: rules.maxActors,
    assume: rules.assume,
    anomalies,
  });
  if (refused !== undefined) return { ...reading, refused };
  const { actProblem } = reading;
  return actProblem === undefined ? reading : refuseForAct(reading, actProblem);
}

/** Reads a token without verifying anything. `basis` of its parties follows from `verification`. */
export function readToken(
  token: string,
  o: { verification: Verification; maxActors: number; assume: AssumedTypes; anomalies: Anomalies },
): TokenReading & { readonly actProblem?: RefusalCode } {
  const { anomalies, verification } = o;
  const header = unverifiedHeader(token) ?? {};
  const claims: Claims = unverifiedClaims(token) ?? {};
  const basis: Basis = verification.status === 'verified' ? 'token' : 'unverified';
  const subject = subjectOf(claims, { basis, assumed: o.assume.subject, anomalies });
  const issuer = subject?.issuer;
  const act = parseActors(claims.act, { maxDepth: o.maxActors, basis, issuer, assumed: o.assume.actor, anomalies });
  const keyId = boundedText(header.kid, { max: 512, name: 'kid', anomalies });
  const authority: Authority = {
    profile: profileOf(header, claims),
    digest: tokenDigest(token),
    ...authorityClaims(claims, anomalies),
    binding: 'bearer',
    verification: { ...verification, ...(keyId !== undefined && { keyId }) },
  };
  return defined({ subject, actors: act.actors, authority, actProblem: act.problem });
}

const outcomeOf = (refused: RefusalCode | undefined): Verification => {
  if (refused === undefined) return { status: 'verified' };
  return { status: refused === 'keys_unavailable' ? 'unverified' : 'failed', reason: refused };
};

function refuseForAct(reading: TokenReading, refused: RefusalCode): TokenReading {
  const unverified = (party: Party): Party => ({ ...party, basis: 'unverified' });
  const { authority } = reading;
  return {
    ...(reading.subject && { subject: unverified(reading.subject) }),
    actors: reading.actors.map(unverified),
    authority: { ...authority, verification: { ...authority.verification, status: 'failed', reason: refused } },
    refused,
  };
}

const profileOf = (header: Claims, claims: Claims): string => {
  if (typeof header.typ === 'string' && ACCESS_TOKEN_TYPES.has(header.typ.toLowerCase())) return 'jwt-access-token';
  return Object.keys(claims).length === 0 ? 'opaque' : 'jwt';
};

async function check(token: string, rules: TokenRules): Promise<RefusalCode | undefined> {
  if (token.length > MAX_TOKEN_LENGTH) return 'token_too_large';
  const header = unverifiedHeader(token);
  if (header === undefined) return 'token_malformed';
  if (!isAcceptedType(header.typ)) return 'type_not_accepted';
  if (!rules.algorithms.includes(String(header.alg))) return 'algorithm_not_allowed';
  const options = {
    issuer: rules.issuer,
    audience: [...rules.audience],
    algorithms: [...rules.algorithms],
    clockTolerance: rules.clockToleranceSeconds,
    requiredClaims: ['exp', 'sub'],
  };
  try {
    await verifyWithAnyKey(token, rules.keys, options);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** A token without `kid` may fit several published keys; each is tried. */
async function verifyWithAnyKey(token: string, keys: JWTVerifyGetKey, options: Parameters<typeof jwtVerify>[2]) {
  try {
    await jwtVerify(token, keys, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      const failure = await jwtVerify(token, key, options).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (failure === undefined) return;
      if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

const isAcceptedType = (typ: unknown): boolean => {
  if (typ === undefined) return true;
  return typeof typ === 'string' && (ACCESS_TOKEN_TYPES.has(typ.toLowerCase()) || PLAIN_TYPES.has(typ.toLowerCase()));
};

function reasonOf(error: unknown): RefusalCode {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error);
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature_invalid';
  if (error instanceof errors.JWKSNoMatchingKey) return 'key_unknown';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm_not_allowed';
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error instanceof KeysUnavailable) {
    return 'keys_unavailable';
  }
  // What is left of jose's errors: a JWS or claims set that is not one, or a key that fits no algorithm.
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'token_malformed';
  if (error instanceof errors.JOSENotSupported) return 'extension_not_supported'; // `crit` (RFC 7515 section 4.1.11)
  return 'keys_unavailable';
}

function claimReason({ claim, reason }: errors.JWTClaimValidationFailed): RefusalCode {
  if (reason === 'missing') return 'claim_missing';
  if (reason === 'invalid') return 'claim_malformed';
  if (claim === 'iss') return 'wrong_issuer';
  if (claim === 'aud') return 'wrong_audience';
  return claim === 'nbf' ? 'not_yet_valid' : 'claim_malformed';
}
