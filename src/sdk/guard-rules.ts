import { type DpopOptions, type DpopRules, dpopRules } from './dpop.ts';
import { type EdgeOptions, type EdgeRules, edgeRules, type SharedRules } from './edge-assertion.ts';
import { isAllowedUrl, issuerKeys } from './issuer-keys.ts';
import { type PeerOptions, type PeerRules, peerRules } from './peer.ts';
import type { Policy } from './policy.ts';
import type { Settings } from './settings.ts';
import { TokenCache } from './token-cache.ts';
import type { Claims } from './token-claims.ts';
import { TXN_PROFILE, txnView } from './txn-token.ts';
import { ASYMMETRIC_ALGORITHMS, BEARER_TYPES, type TokenRules } from './verify-token.ts';
import { isWorkloadId, type WorkloadOptions, type WorkloadRules, workloadRules } from './workload-identity.ts';

export type GuardMode = 'enforce' | 'observe';

export interface GuardOptions {
  /** Whose access tokens are accepted; compared exactly with `iss`. */
  readonly issuer?: string;
  /** Who this service is: the token's `aud` must hold one of these. */
  readonly audience?: string | readonly string[];
  /** Where the issuer's keys are; found through the issuer's metadata by default. */
  readonly jwksUri?: string;
  /** `enforce` refuses (the default); `observe` refuses nothing and records what it would have refused. */
  readonly mode?: GuardMode;
  /** A part of the asymmetric JWS algorithms, all of which are accepted by default. HMAC and `none` cannot be. */
  readonly algorithms?: readonly string[];
  /** How far clocks may differ; 5 by default, at most 300. */
  readonly clockToleranceSeconds?: number;
  /** Deepest `act` accepted; 16 by default, at most 64. */
  readonly maxActors?: number;
  /** Accepts plain http for the issuer and its keys beyond this machine. */
  readonly allowHttp?: boolean;
  /** Accepts DPoP (RFC 9449). Tokens bound to a key are refused without its proof in any case. */
  readonly dpop?: true | DpopOptions;
  /** Accepts the header `Txn-Token` (draft-ietf-oauth-transaction-tokens) of one trust domain; it is the authority then. */
  readonly txnToken?: { readonly trustDomain: string; readonly jwksUri: string; readonly issuer?: string };
  /** Accepts JWT-SVIDs (SPIFFE) of one trust domain as bearer tokens; beside a Txn-Token or an assertion they are the peer. */
  readonly jwtSvid?: { readonly trustDomain: string; readonly jwksUri: string; readonly audience?: string };
  /**
   * Accepts the headers `Workload-Identity-Token` and `Workload-Proof-Token` (WIMSE) of one trust domain's workloads: who
   * calls, beside another credential; alone, the authority.
   */
  readonly workload?: WorkloadOptions;
  /** Accepts what a proxy signs about whom it let in. A bearer token beside it is the authority. */
  readonly edge?: EdgeOptions | readonly EdgeOptions[];
  /** Asked for each request that is not public and holds its route's scopes, once its body is read. */
  readonly policy?: Policy;
  /** Records what the transport authenticated, and takes its certificate as proof for tokens bound to one (RFC 8705). */
  readonly peers?: PeerOptions;
}

export interface GuardRules {
  readonly mode: GuardMode;
  readonly bearer: TokenRules | undefined;
  readonly svid: TokenRules | undefined;
  readonly txn: TokenRules | undefined;
  readonly workload: WorkloadRules | undefined;
  readonly edge: readonly EdgeRules[];
  readonly dpop: DpopRules | undefined;
  readonly policy: Policy | undefined;
  readonly peers: PeerRules | undefined;
  readonly maxActors: number;
  readonly assume: Settings['assume'];
  readonly by: string;
}

/** Throws TypeError naming the option: a guard that is set up wrongly must not start. */
export function parseGuardOptions(o: GuardOptions, settings: Settings): GuardRules {
  const algorithms = o.algorithms ?? ASYMMETRIC_ALGORITHMS;
  const clockToleranceSeconds = o.clockToleranceSeconds ?? 5;
  const maxActors = o.maxActors ?? 16;
  const isOtherwise = [o.txnToken, o.jwtSvid, o.edge, o.workload].some((each) => each !== undefined);
  if (!isOtherwise || o.issuer !== undefined) checkIssuer(o);
  for (const algorithm of algorithms) {
    if (!ASYMMETRIC_ALGORITHMS.some((known) => known === algorithm)) {
      wrong(`algorithms: ${algorithm} is not one of ${ASYMMETRIC_ALGORITHMS.join(', ')}`);
    }
  }
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 300)) wrong('clockToleranceSeconds must be 0 to 300');
  if (!(Number.isInteger(maxActors) && maxActors >= 1 && maxActors <= 64)) wrong('maxActors must be 1 to 64');
  if (o.workload !== undefined) checkUrl('workload.jwksUri', o.workload.jwksUri, o);
  if (!['function', 'undefined'].includes(typeof o.policy)) wrong('policy must be a function');
  if (!['enforce', 'observe', undefined].includes(o.mode)) wrong('mode must be enforce or observe');
  const { assume, service: by } = settings;
  const shared = (): SharedRules => ({
    clockToleranceSeconds,
    maxActors,
    assume,
    by,
    allowHttp: o.allowHttp === true,
    cache: new TokenCache(),
  });
  return {
    mode: o.mode ?? 'enforce',
    bearer: o.issuer === undefined ? undefined : bearerRules(o, algorithms, shared()),
    svid: o.jwtSvid && svidRules(o.jwtSvid, o, shared()),
    txn: o.txnToken && txnRules(o.txnToken, algorithms, shared()),
    workload: o.workload && workloadRules(o.workload, shared()),
    edge: [o.edge ?? []].flat().map((each) => edgeRules(each, shared())),
    dpop: o.dpop && dpopRules(checkDpopOptions(o.dpop), algorithms),
    policy: o.policy,
    peers: o.peers && peerRules(o.peers),
    maxActors,
    assume,
    by,
  };
}

function checkIssuer(o: GuardOptions): void {
  const audience = [o.audience ?? []].flat();
  if (typeof o.issuer !== 'string' || o.issuer === '') wrong('issuer is missing; give the iss of the tokens to accept');
  if (audience.length === 0 || audience.some((each) => typeof each !== 'string' || each === '')) {
    wrong('audience is missing; give the aud that tokens for this service carry');
  }
  checkUrl(o.jwksUri === undefined ? 'issuer' : 'jwksUri', o.jwksUri ?? o.issuer ?? '', o);
}

function bearerRules(o: GuardOptions, algorithms: readonly string[], shared: SharedRules): TokenRules {
  const { issuer = '', jwksUri } = o;
  const keys = issuerKeys({ issuer, jwksUri, allowHttp: shared.allowHttp });
  const audience = [o.audience ?? []].flat();
  const own = { keys, issuer, audience, algorithms, types: BEARER_TYPES, basis: 'token' as const };
  return { ...shared, ...own, requiredClaims: ['exp', 'sub'] };
}

/** SPIFFE JWT-SVID: `sub` is a SPIFFE ID of the trust domain; keys are those of its bundle; no EdDSA. */
function svidRules(
  { trustDomain, jwksUri, audience }: NonNullable<GuardOptions['jwtSvid']>,
  o: GuardOptions,
  shared: SharedRules,
): TokenRules {
  if (!/^[a-z0-9._-]{1,255}$/.test(trustDomain)) wrong('jwtSvid.trustDomain must be a SPIFFE trust domain');
  checkUrl('jwtSvid.jwksUri', jwksUri, o);
  const audiences = [audience ?? o.audience ?? []].flat();
  if (audiences.length === 0) wrong('jwtSvid.audience is missing');
  const isMember = ({ sub }: Claims) => typeof sub === 'string' && isWorkloadId(sub, trustDomain, /^spiffe:\/\//);
  return {
    ...shared,
    profile: 'jwt-svid',
    keys: issuerKeys({ issuer: '', jwksUri, allowHttp: shared.allowHttp }),
    issuer: undefined,
    audience: audiences,
    algorithms: ASYMMETRIC_ALGORITHMS.filter((algorithm) => !algorithm.startsWith('Ed')),
    types: new Set(['jwt', 'jose', '']),
    requiredClaims: ['exp', 'sub'],
    check: (claims) => (isMember(claims) ? undefined : 'wrong_issuer'),
    view: (claims) => ({ ...claims, iss: undefined, sub_profile: 'service' }),
    basis: 'token',
  };
}

function txnRules(
  { trustDomain, jwksUri, issuer }: NonNullable<GuardOptions['txnToken']>,
  algorithms: readonly string[],
  shared: SharedRules,
): TokenRules {
  if (typeof trustDomain !== 'string' || trustDomain === '') wrong('txnToken.trustDomain is missing');
  checkUrl('txnToken.jwksUri', jwksUri, { allowHttp: shared.allowHttp });
  return {
    ...shared,
    profile: TXN_PROFILE,
    keys: issuerKeys({ issuer: '', jwksUri, allowHttp: shared.allowHttp }),
    issuer,
    audience: [trustDomain],
    algorithms,
    types: new Set(['txntoken+jwt']),
    requiredClaims: ['txn', 'sub', 'iat', 'exp'],
    view: txnView(trustDomain),
    basis: 'token',
  };
}

function checkDpopOptions(o: true | DpopOptions): DpopOptions {
  if (o === true) return {};
  if (o.origin !== undefined && URL.parse(o.origin)?.origin !== o.origin)
    wrong('dpop.origin must be an origin, such as https://payments.example');
  const { maxAgeSeconds = 60 } = o;
  if (!(maxAgeSeconds >= 1 && maxAgeSeconds <= 600)) wrong('dpop.maxAgeSeconds must be 1 to 600');
  return o;
}

function checkUrl(option: string, url: string, o: Pick<GuardOptions, 'allowHttp'>): void {
  if (!isAllowedUrl(url, o.allowHttp === true))
    wrong(`${option} must be an https URL (http beyond this machine needs allowHttp)`);
}

function wrong(says: string): never {
  throw new TypeError(`behalf.guard: ${says}`);
}
