import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose';
import type { InboundRequest } from './inbound-request.ts';
import type { RefusalCode } from './refusal.ts';
import { ReplayCache } from './replay-cache.ts';
import { MAX_TOKEN_LENGTH } from './token-claims.ts';

export interface DpopOptions {
  /** How callers write this service: `https://payments.example`. By default what they wrote in the Host header. */
  readonly origin?: string;
  /** How old a proof may be, and how far ahead; 60 by default, at most 600. */
  readonly maxAgeSeconds?: number;
}

export interface DpopRules {
  readonly origin: string | undefined;
  readonly maxAgeSeconds: number;
  readonly algorithms: readonly string[];
  readonly seen: ReplayCache;
}

export const dpopRules = ({ origin, maxAgeSeconds = 60 }: DpopOptions, algorithms: readonly string[]): DpopRules => ({
  origin,
  maxAgeSeconds,
  algorithms,
  seen: new ReplayCache(2 * maxAgeSeconds * 1000),
});

/**
 * Checks a DPoP proof (RFC 9449 section 4.3) for `token`, whose `cnf.jkt` is `thumbprint`. Gives why it does not hold. A
 * proof is used once in this process; services behind one name need more than that, or short ages.
 */
export async function checkDpop(
  request: InboundRequest,
  rules: DpopRules,
  { token, thumbprint }: { token: string; thumbprint: string | undefined },
): Promise<RefusalCode | undefined> {
  const [proof, ...more] = request.all('dpop');
  if (proof === undefined) return 'proof_missing';
  if (more.length > 0 || proof.length > MAX_TOKEN_LENGTH || thumbprint === undefined) return 'proof_invalid';
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...rules.algorithms],
      requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath'],
      clockTolerance: rules.maxAgeSeconds,
    });
    if (protectedHeader.jwk === undefined) return 'proof_invalid';
    if ((await calculateJwkThumbprint(protectedHeader.jwk, 'sha256')) !== thumbprint) return 'proof_invalid';
    if (!isForThis(payload, request, { ...rules, token })) return 'proof_invalid';
    const { jti } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) return 'proof_invalid';
    const found = rules.seen.add(`${thumbprint}.${jti}`, Date.now());
    return found === 'new' ? undefined : found === 'seen' ? 'proof_replayed' : 'replay_cache_full';
  } catch (error) {
    // Whatever a proof holds is the caller's doing: a key of a kind that is none throws TypeError or DataError.
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException)
      return 'proof_invalid';
    throw error;
  }
}

function isForThis(
  payload: Readonly<Record<string, unknown>>,
  request: InboundRequest,
  { origin, token, maxAgeSeconds }: { origin: string | undefined; token: string; maxAgeSeconds: number },
): boolean {
  const { htm, htu, ath, iat } = payload;
  const said = typeof htu === 'string' ? URL.parse(htu) : null;
  const meant = URL.parse(request.target, origin ?? request.origin);
  const digest = createHash('sha256').update(token, 'ascii').digest('base64url');
  const isRecent = typeof iat === 'number' && Math.abs(Date.now() / 1000 - iat) <= maxAgeSeconds;
  const isSamePlace =
    said !== null && meant !== null && said.origin === meant.origin && said.pathname === meant.pathname;
  return htm === request.method && isSamePlace && ath === digest && isRecent;
}
