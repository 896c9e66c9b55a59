import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { parseActors } from './actors.ts';
import { Anomalies, type Anomaly } from './anomalies.ts';
import { type Authority, authorityClaims, type Verification } from './authority.ts';
import { boundedText } from './bounded-text.ts';
import { defined } from './defined.ts';
import { KeysUnavailable } from './issuer-keys.ts';
import type { AssumedTypes, Basis, Party } from './party.ts';
import type { RefusalCode } from './refusal.ts';
import type { TokenCache } from './token-cache.ts';
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
  /** The key the token is bound to (RFC 7800): only of a token that was verified. */
  readonly bound?: Binding;
}

/** `jkt`: thumbprint of a DPoP key; `x5t`: SHA-256 of a certificate, base64url; `other`: to a key nobody here asks for. */
export interface Binding {
  readonly kind: 'jkt' | 'x5t' | 'other';
  readonly thumbprint: string;
}

/** One kind of token that a guard accepts. */
export interface TokenRules {
  /** The profile observations name; by the token's type when undefined. */
  readonly profile?: string;
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string | undefined;
  /** None: the kind has no audience of its own. */
  readonly audience: readonly string[];
  /** Asymmetric JWS algorithms. */
  readonly algorithms: readonly string[];
  /** Accepted `typ`, in lower case without `application/`; `''` stands for none. */
  readonly types: ReadonlySet<string>;
  readonly requiredClaims: readonly string[];
  /** What else must hold of verified claims. */
  readonly check?: (claims: Claims) => RefusalCode | undefined;
  /** What is read in place of the claims as they are, such as a subject under another name. */
  readonly view?: (claims: Claims) => Claims;
  /** How parties of a verified token are known. */
  readonly basis: Basis;
  readonly clockToleranceSeconds: number;
  readonly maxActors: number;
  readonly assume: AssumedTypes;
  /** Who verifies: this service's name. */
  readonly by: string;
  readonly cache: TokenCache<Verified>;
}

/** What is kept of a verified token. */
export interface Verified {
  readonly reading: TokenReading;
  readonly anomalies: readonly Anomaly[];
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
export const BEARER_TYPES: ReadonlySet<string> = new Set(['at+jwt', 'jwt', 'jose', '']);

/**
 * Verifies a JWT and reads it, at once when it was verified before and has not expired. A token that fails is read too, as
 * evidence, and its parties are `unverified`.
 */
export function verifyToken(
  token: string,
  rules: TokenRules,
  anomalies: Anomalies,
): TokenReading | Promise<TokenReading> {
  const kept = rules.cache.get(token, Date.now());
  if (kept === undefined) return verifyAnew(token, rules, anomalies);
  for (const { code, detail } of kept.anomalies) anomalies.add(code, detail);
  return kept.reading;
}

async function verifyAnew(token: string, rules: TokenRules, anomalies: Anomalies): Promise<TokenReading> {
  const checked = await check(token, rules);
  const refused = typeof checked === 'string' ? checked : undefined;
  const own = new Anomalies();
  const { actProblem, ...reading } = readToken(token, {
    ...rules,
    verification: { ...outcomeOf(refused), by: rules.by },
    anomalies: own,
  });
  for (const { code, detail } of own.all()) anomalies.add(code, detail);
  if (typeof checked === 'string') return { ...reading, refused: checked };
  if (actProblem !== undefined) return refuseReading(reading, actProblem);
  const bound = bindingOf(checked);
  const verified = bound === undefined ? reading : { ...reading, bound };
  const expiresMs = ((checked.exp ?? 0) + rules.clockToleranceSeconds) * 1000;
  rules.cache.set(token, { reading: verified, anomalies: own.all() }, { nowMs: Date.now(), expiresMs });
  return verified;
}

/** Reads a token without verifying anything. The basis of its parties follows from `verification`. */
export function readToken(
  token: string,
  o: {
    verification: Verification;
    maxActors: number;
    assume: AssumedTypes;
    anomalies: Anomalies;
    basis?: Basis;
    profile?: string | undefined;
    view?: ((claims: Claims) => Claims) | undefined;
  },
): TokenReading & { readonly actProblem?: RefusalCode } {
  const { anomalies, verification } = o;
  const header = unverifiedHeader(token) ?? {};
  const plain: Claims = unverifiedClaims(token) ?? {};
  const claims = o.view?.(plain) ?? plain;
  const basis: Basis = verification.status === 'verified' ? (o.basis ?? 'token') : 'unverified';
  const subject = subjectOf(claims, { basis, assumed: o.assume.subject, anomalies });
  const issuer = subject?.issuer;
  const act = parseActors(claims.act, { maxDepth: o.maxActors, basis, issuer, assumed: o.assume.actor, anomalies });
  const keyId = boundedText(header.kid, { max: 512, name: 'kid', anomalies });
  const authority: Authority = {
    profile: o.profile ?? profileOf(header, claims),
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

/** What a token says that was verified and is not accepted all the same. */
export function refuseReading(reading: TokenReading, refused: RefusalCode): TokenReading {
  const { authority } = reading;
  return {
    ...withBasis(reading, 'unverified'),
    authority: { ...authority, verification: { ...authority.verification, status: 'failed', reason: refused } },
    refused,
  };
}

/** The reading with its parties known in another way. */
export function withBasis(reading: TokenReading, basis: Basis): TokenReading {
  const known = (party: Party): Party => ({ ...party, basis });
  return { ...reading, ...(reading.subject && { subject: known(reading.subject) }), actors: reading.actors.map(known) };
}

const profileOf = (header: Claims, claims: Claims): string => {
  if (typeOf(header) === 'at+jwt') return 'jwt-access-token';
  return Object.keys(claims).length === 0 ? 'opaque' : 'jwt';
};

/** RFC 7515 section 4.1.9: `application/` may be left out, and case does not count. */
const typeOf = ({ typ }: Claims): string | undefined => {
  if (typ === undefined) return '';
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
};

function bindingOf({ cnf }: JWTPayload): Binding | undefined {
  if (typeof cnf !== 'object' || cnf === null) return undefined;
  const { jkt, 'x5t#S256': x5t } = cnf as Claims;
  if (typeof jkt === 'string') return { kind: 'jkt', thumbprint: jkt };
  if (typeof x5t === 'string') return { kind: 'x5t', thumbprint: x5t };
  return { kind: 'other', thumbprint: '' };
}

async function check(token: string, rules: TokenRules): Promise<RefusalCode | JWTPayload> {
  if (token.length > MAX_TOKEN_LENGTH) return 'token_too_large';
  const header = unverifiedHeader(token);
  if (header === undefined) return 'token_malformed';
  if (!rules.types.has(typeOf(header) ?? 'not text')) return 'type_not_accepted';
  if (!rules.algorithms.includes(String(header.alg))) return 'algorithm_not_allowed';
  const options = {
    ...(rules.issuer !== undefined && { issuer: rules.issuer }),
    ...(rules.audience.length > 0 && { audience: [...rules.audience] }),
    algorithms: [...rules.algorithms],
    clockTolerance: rules.clockToleranceSeconds,
    requiredClaims: [...rules.requiredClaims],
  };
  try {
    const claims = await verifyWithAnyKey(token, rules.keys, options);
    return rules.check?.(claims) ?? claims;
  } catch (error) {
    return reasonOf(error);
  }
}

/** A token without `kid` may fit several published keys; each is tried. */
async function verifyWithAnyKey(
  token: string,
  keys: JWTVerifyGetKey,
  options: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      const result = await jwtVerify(token, key, options).catch((reason: unknown) => {
        if (reason instanceof errors.JWSSignatureVerificationFailed) return undefined;
        throw reason;
      });
      if (result !== undefined) return result.payload;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

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
