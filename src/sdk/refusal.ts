/**
 * Every reason for which the guard refuses, with what it answers. The codes are a closed list: they stand in observations
 * (verification.reason, decision.reason), in problem bodies and in the README. Challenges follow RFC 6750 section 3 and
 * RFC 9449 section 7.1.
 */
export const REFUSALS = {
  token_missing: { status: 401, says: 'a bearer token is required' },
  token_repeated: { status: 400, error: 'invalid_request', says: 'exactly one of each credential is accepted' },
  token_in_query: {
    status: 400,
    error: 'invalid_request',
    says: 'send the token in the Authorization header, never in the URL',
  },
  scheme_unsupported: {
    status: 401,
    error: 'invalid_request',
    says: 'the scheme of the Authorization header is not accepted',
  },
  token_too_large: { status: 401, error: 'invalid_token', says: 'the token is larger than this service accepts' },
  token_malformed: { status: 401, error: 'invalid_token', says: 'the token is not a signed JWT' },
  type_not_accepted: {
    status: 401,
    error: 'invalid_token',
    says: 'the token is of a type this service does not accept',
  },
  algorithm_not_allowed: {
    status: 401,
    error: 'invalid_token',
    says: 'the token is signed with an algorithm this service does not accept',
  },
  extension_not_supported: {
    status: 401,
    error: 'invalid_token',
    says: 'the token needs an extension this service does not support',
  },
  key_unknown: {
    status: 401,
    error: 'invalid_token',
    says: 'the token is signed with a key its issuer does not publish',
  },
  signature_invalid: { status: 401, error: 'invalid_token', says: 'the signature does not fit the token' },
  expired: { status: 401, error: 'invalid_token', says: 'the token has expired' },
  not_yet_valid: { status: 401, error: 'invalid_token', says: 'the token is not valid yet' },
  wrong_issuer: {
    status: 401,
    error: 'invalid_token',
    says: 'the token is from an issuer this service does not trust',
  },
  wrong_audience: { status: 401, error: 'invalid_token', says: 'the token is meant for another audience' },
  claim_missing: { status: 401, error: 'invalid_token', says: 'the token lacks a claim that is required' },
  claim_malformed: {
    status: 401,
    error: 'invalid_token',
    says: 'a claim of the token is not of the form it must have',
  },
  act_malformed: { status: 401, error: 'invalid_token', says: 'the act claim is malformed' },
  act_too_deep: {
    status: 401,
    error: 'invalid_token',
    says: 'the act claim is nested deeper than this service accepts',
  },
  proof_missing: {
    status: 401,
    error: 'invalid_token',
    says: 'the token is bound to a key, and no proof of that key came with it',
  },
  proof_invalid: { status: 401, error: 'invalid_dpop_proof', says: 'the DPoP proof does not hold for this request' },
  proof_replayed: { status: 401, error: 'invalid_dpop_proof', says: 'the DPoP proof was used before' },
  workload_proof_missing: {
    status: 401,
    error: 'invalid_token',
    says: 'the workload identity token came without its proof',
  },
  workload_proof_invalid: {
    status: 401,
    error: 'invalid_token',
    says: 'the workload proof token does not hold for this request',
  },
  workload_proof_replayed: { status: 401, error: 'invalid_token', says: 'the workload proof token was used before' },
  insufficient_scope: { status: 403, error: 'insufficient_scope', says: 'the token lacks a scope this route requires' },
  policy_denied: { status: 403, says: 'the policy of this service does not permit the call' },
  policy_unavailable: { status: 503, says: 'the policy of this service cannot be asked; try again later' },
  not_confirmed: { status: 503, says: 'the call could not be recorded before it was done; try again later' },
  keys_unavailable: { status: 503, says: 'the keys of the token’s issuer cannot be fetched; try again later' },
  replay_cache_full: { status: 503, says: 'too many proofs came at once to tell new from used; try again later' },
  recorder_full: { status: 503, says: 'this service has no room left to record the request; try again later' },
} as const satisfies Readonly<Record<string, RefusalAnswer>>;

interface RefusalAnswer {
  readonly status: 400 | 401 | 403 | 503;
  readonly error?: 'invalid_request' | 'invalid_token' | 'invalid_dpop_proof' | 'insufficient_scope';
  readonly says: string;
}

export type RefusalCode = keyof typeof REFUSALS;

/** An HTTP answer: status, headers, and a problem body (RFC 9457). Holds nothing that came with the request. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TITLES = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 503: 'Service Unavailable' } as const;

export function refusal(code: RefusalCode, requiredScopes: readonly string[]): Refusal {
  const answer: RefusalAnswer = REFUSALS[code];
  const { status, says } = answer;
  const retry = { 'retry-after': '5' };
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 503
        ? retry
        : code === 'policy_denied'
          ? {}
          : { 'www-authenticate': challenge(answer, requiredScopes) }),
    },
    body: JSON.stringify({ type: 'about:blank', title: TITLES[status], status, detail: says, code }),
  };
}

/** RFC 6750 section 3: no error code where no credential came; quoted strings hold ASCII only. */
function challenge({ error, says }: RefusalAnswer, requiredScopes: readonly string[]): string {
  const parts = [
    ...(error === undefined ? [] : [`error="${error}"`, `error_description="${says}"`]),
    ...(requiredScopes.length === 0 ? [] : [`scope="${requiredScopes.join(' ')}"`]),
  ];
  const scheme = error === 'invalid_dpop_proof' ? 'DPoP' : 'Bearer';
  return parts.length === 0 ? scheme : `${scheme} ${parts.join(', ')}`;
}
