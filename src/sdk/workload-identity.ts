import type { Anomalies } from './anomalies.ts';
import type { SharedRules } from './edge-assertion.ts';
import type { InboundRequest } from './inbound-request.ts';
import { issuerKeys } from './issuer-keys.ts';
import type { RefusalCode } from './refusal.ts';
import { ReplayCache } from './replay-cache.ts';
import type { Claims } from './token-claims.ts';
import {
  ASYMMETRIC_ALGORITHMS,
  refuseReading,
  type TokenReading,
  type TokenRules,
  verifyToken,
  withBasis,
} from './verify-token.ts';
import { checkWorkloadProof, type ProofRules } from './workload-proof.ts';

export interface WorkloadOptions {
  /** Whose workloads are accepted: the host of `spiffe://…` or `wimse://…`. Its keys are these, whatever the token's `iss`. */
  readonly trustDomain: string;
  readonly jwksUri: string;
  /** How callers write this service: `https://payments.example`. By default what they wrote in the Host header. */
  readonly origin?: string;
  /** How far ahead a proof may expire; 300 by default, at most 600. */
  readonly maxAgeSeconds?: number;
}

export interface WorkloadRules {
  readonly token: TokenRules;
  readonly proof: ProofRules;
}

/** How observations name a Workload Identity Token (draft-ietf-wimse-workload-creds). */
export const WIT_PROFILE = 'wit';

/** Throws TypeError naming the option. `jwksUri` has been looked at. */
export function workloadRules(o: WorkloadOptions, shared: SharedRules): WorkloadRules {
  const { trustDomain, jwksUri, origin, maxAgeSeconds = 300 } = o;
  const wrong = (says: string): never => {
    throw new TypeError(`behalf.guard: workload.${says}`);
  };
  if (!/^[a-z0-9._-]{1,255}$/.test(trustDomain)) wrong('trustDomain must be a trust domain, such as acme.example');
  if (origin !== undefined && URL.parse(origin)?.origin !== origin)
    wrong('origin must be an origin, such as https://payments.example');
  if (!(maxAgeSeconds >= 1 && maxAgeSeconds <= 600)) wrong('maxAgeSeconds must be 1 to 600');
  const { clockToleranceSeconds } = shared;
  const seen = new ReplayCache((maxAgeSeconds + 2 * clockToleranceSeconds) * 1000);
  return {
    token: {
      ...shared,
      profile: WIT_PROFILE,
      keys: issuerKeys({ issuer: '', jwksUri, allowHttp: shared.allowHttp }),
      issuer: undefined,
      audience: [], // it is meant for whoever its proof is
      algorithms: ASYMMETRIC_ALGORITHMS,
      types: new Set(['wit+jwt']),
      requiredClaims: ['exp', 'sub', 'cnf'],
      check: (claims) => checkClaims(claims, trustDomain),
      view: (claims) => ({ ...claims, iss: undefined, sub_profile: 'service' }),
      basis: 'token',
    },
    proof: { origin, maxAgeSeconds, clockToleranceSeconds, seen },
  };
}

function checkClaims({ sub, cnf }: Claims, trustDomain: string): RefusalCode | undefined {
  if (typeof sub !== 'string' || !isWorkloadId(sub, trustDomain)) return 'wrong_issuer';
  return typeof cnf === 'object' && cnf !== null && 'jwk' in cnf ? undefined : 'claim_malformed';
}

/** A URI of the trust domain, at most 2048 characters, with no empty, `.` or `..` segment (SPIFFE-ID section 2). */
export const isWorkloadId = (id: string, trustDomain: string, schemes = /^(spiffe|wimse):\/\//): boolean => {
  const rest = id.replace(schemes, '');
  if (id.length > 2048 || rest === id || !rest.startsWith(`${trustDomain}/`)) return false;
  return /^(\/(?!\.{1,2}(\/|$))[a-zA-Z0-9._-]+)+$/.test(rest.slice(trustDomain.length));
};

/**
 * Reads the headers `Workload-Identity-Token` and `Workload-Proof-Token`: a token without its proof is nobody's. Undefined
 * when no token came: a proof alone says nothing.
 */
export async function readWorkload(
  request: InboundRequest,
  rules: WorkloadRules,
  anomalies: Anomalies,
): Promise<(TokenReading & { readonly token?: string }) | undefined> {
  const [token, ...more] = request.all('workload-identity-token');
  if (token === undefined) return undefined;
  const reading = await verifyToken(token, rules.token, anomalies);
  if (reading.refused !== undefined) return reading;
  if (more.length > 0) return refuseReading(reading, 'token_repeated');
  const refused = await checkWorkloadProof(request, rules.proof, token);
  if (refused !== undefined) return refuseReading(reading, refused);
  return { ...withBasis(reading, 'proof'), authority: { ...reading.authority, binding: 'wpt' }, token };
}
