import { albVerifier } from './alb-assertion.ts';
import type { Anomalies } from './anomalies.ts';
import { issuerKeys } from './issuer-keys.ts';
import type { Claims } from './token-claims.ts';
import { type TokenReading, type TokenRules, verifyToken } from './verify-token.ts';

/**
 * A proxy that signs whom it let in. Each header's signature is checked; the unsigned copies beside it are never looked at.
 * `pomerium`: X-Pomerium-Jwt-Assertion. `iap`: Google's x-goog-iap-jwt-assertion. `cloudflare`: Cf-Access-Jwt-Assertion.
 * `alb`: AWS's x-amzn-oidc-data, which carries no audience: the load balancer's ARN stands for it.
 */
export type EdgeOptions =
  | { readonly kind: 'pomerium'; readonly issuer: string; readonly audience: string; readonly jwksUri: string }
  | { readonly kind: 'iap'; readonly audience: string; readonly jwksUri?: string }
  | { readonly kind: 'cloudflare'; readonly issuer: string; readonly audience: string; readonly jwksUri?: string }
  | {
      readonly kind: 'alb';
      readonly issuer: string;
      /** The load balancer's ARN. */
      readonly signer: string;
      /** Where its public keys are; the place of its region by default. The key id is put behind it. */
      readonly keysUrl?: string;
    };

export interface EdgeRules {
  readonly header: string;
  readonly verify: (assertion: string, anomalies: Anomalies) => TokenReading | Promise<TokenReading>;
}

/** What all kinds of token have in common. */
export type SharedRules = Pick<TokenRules, 'clockToleranceSeconds' | 'maxActors' | 'assume' | 'by' | 'cache'> & {
  readonly allowHttp: boolean;
};

const TYPES: ReadonlySet<string> = new Set(['jwt', '']);

/** Throws TypeError naming what is missing. */
export function edgeRules(o: EdgeOptions, shared: SharedRules): EdgeRules {
  for (const [name, value] of Object.entries(o)) {
    if (typeof value !== 'string' || value === '') throw new TypeError(`behalf.guard: edge.${name} must be text`);
  }
  const jwt = (
    header: string,
    rules: {
      issuer: string;
      audience: string;
      jwksUri: string;
      algorithms: readonly string[];
      view?: TokenRules['view'];
    },
  ): EdgeRules => {
    const keys = issuerKeys({ ...rules, allowHttp: shared.allowHttp });
    const { issuer, algorithms, view } = rules;
    const audience = [rules.audience];
    const own = {
      profile: `edge-${o.kind}`,
      keys,
      issuer,
      audience,
      algorithms,
      types: TYPES,
      basis: 'assertion' as const,
    };
    const all: TokenRules = { ...shared, ...own, requiredClaims: ['exp', 'iat', 'sub'], ...(view && { view }) };
    return { header, verify: (assertion, anomalies) => verifyToken(assertion, all, anomalies) };
  };
  switch (o.kind) {
    case 'pomerium':
      return jwt('x-pomerium-jwt-assertion', { ...o, algorithms: ['ES256'] });
    case 'iap':
      return jwt('x-goog-iap-jwt-assertion', {
        audience: o.audience,
        issuer: 'https://cloud.google.com/iap',
        jwksUri: o.jwksUri ?? 'https://www.gstatic.com/iap/verify/public_key-jwk',
        algorithms: ['ES256'],
      });
    case 'cloudflare':
      return jwt('cf-access-jwt-assertion', {
        ...o,
        jwksUri: o.jwksUri ?? `${o.issuer}/cdn-cgi/access/certs`,
        algorithms: ['RS256'],
        view: serviceTokenView,
      });
    case 'alb':
      return { header: 'x-amzn-oidc-data', verify: albVerifier(o, shared) };
    default:
      throw new TypeError('behalf.guard: edge.kind must be pomerium, iap, cloudflare or alb');
  }
}

/** Cloudflare names a service token in `common_name` and leaves `sub` empty. */
const serviceTokenView = (claims: Claims): Claims =>
  claims.sub === '' && typeof claims.common_name === 'string'
    ? { ...claims, sub: claims.common_name, sub_profile: 'service' }
    : claims;
