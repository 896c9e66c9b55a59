import { createHash } from 'node:crypto';
import { errors, importJWK, type JWK, jwtVerify } from 'jose';
import type { InboundRequest } from './inbound-request.ts';
import type { RefusalCode } from './refusal.ts';
import type { ReplayCache } from './replay-cache.ts';
import { type Claims, MAX_TOKEN_LENGTH, unverifiedClaims } from './token-claims.ts';
import { ASYMMETRIC_ALGORITHMS } from './verify-token.ts';

export interface ProofRules {
  readonly origin: string | undefined;
  readonly maxAgeSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly seen: ReplayCache;
}

/**
 * Checks the Workload Proof Token (draft-ietf-wimse-wpt) of a request for `wit`, which has been verified: signed with the
 * key `wit` names, for this place, soon over, over exactly the tokens that came, and used once in this process. Gives why
 * it does not hold.
 */
export async function checkWorkloadProof(
  request: InboundRequest,
  rules: ProofRules,
  wit: string,
): Promise<RefusalCode | undefined> {
  const [proof, ...more] = request.all('workload-proof-token');
  if (proof === undefined) return 'workload_proof_missing';
  if (more.length > 0 || proof.length > MAX_TOKEN_LENGTH) return 'workload_proof_invalid';
  const claims = await readProof(proof, wit, rules).catch(invalid);
  if (claims === undefined || !isForThis(claims, request, rules) || !isOverAll(claims, request, wit)) {
    return 'workload_proof_invalid';
  }
  const { jti } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return 'workload_proof_invalid';
  const found = rules.seen.add(`${hashOf(wit)}.${jti}`, Date.now());
  return found === 'new' ? undefined : found === 'seen' ? 'workload_proof_replayed' : 'replay_cache_full';
}

/** `cnf.jwk` names its algorithm, and no other is accepted; nor a key that shows its private half. */
async function readProof(proof: string, wit: string, rules: ProofRules): Promise<Claims | undefined> {
  const { jwk } = (unverifiedClaims(wit)?.cnf ?? {}) as { jwk?: JWK };
  const algorithm = ASYMMETRIC_ALGORITHMS.find((each) => each === jwk?.alg);
  if (jwk === undefined || algorithm === undefined || 'd' in jwk || jwk.kty === 'oct') return undefined;
  const { payload } = await jwtVerify(proof, await importJWK(jwk, algorithm), {
    typ: 'wpt+jwt',
    algorithms: [algorithm],
    requiredClaims: ['aud', 'exp', 'jti', 'wth'],
    clockTolerance: rules.clockToleranceSeconds,
  });
  return payload;
}

/** Whatever a proof holds is the caller's doing: a key of a kind that is none throws TypeError or DataError. */
function invalid(error: unknown): undefined {
  if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException)
    return undefined;
  throw error;
}

/** `aud` is the target without query and fragment. */
function isForThis({ aud, exp }: Claims, request: InboundRequest, rules: ProofRules): boolean {
  const said = typeof aud === 'string' ? URL.parse(aud) : null;
  const meant = URL.parse(request.target, rules.origin ?? request.origin);
  if (said === null || meant === null || said.search !== '' || said.hash !== '') return false;
  const isSoonOver =
    typeof exp === 'number' && exp - Date.now() / 1000 <= rules.maxAgeSeconds + rules.clockToleranceSeconds;
  return isSoonOver && said.origin === meant.origin && said.pathname === meant.pathname;
}

/** The hashes of the tokens of this request: of each that came, and of none that did not. `oth` may name further headers. */
function isOverAll({ wth, ath, tth, oth }: Claims, request: InboundRequest, wit: string): boolean {
  const [, access] = /^(?:Bearer|DPoP) +(\S+) *$/i.exec(only(request, 'authorization') ?? '') ?? [];
  const others = oth ?? {};
  if (typeof others !== 'object' || Array.isArray(others)) return false;
  return (
    wth === hashOf(wit) &&
    ath === hashOf(access) &&
    tth === hashOf(only(request, 'txn-token')) &&
    Object.entries(others).every(([name, hash]) => typeof hash === 'string' && hash === hashOf(only(request, name)))
  );
}

function only(request: InboundRequest, name: string): string | undefined {
  const values = request.all(name.toLowerCase());
  return values.length === 1 ? values[0] : undefined;
}

const hashOf = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : createHash('sha256').update(value, 'ascii').digest('base64url');
