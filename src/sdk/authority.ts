import type { Anomalies } from './anomalies.ts';
import { boundedList, boundedText } from './bounded-text.ts';
import { defined } from './defined.ts';

/** How a credential was checked, and by whom. */
export interface Verification {
  readonly status: 'verified' | 'failed' | 'unverified' | 'absent';
  readonly reason?: string;
  readonly keyId?: string;
  readonly by?: string;
}

/** The grant used on a hop: claims from an allow-list, the token's digest and how it was verified. Never the token. */
export interface Authority {
  readonly profile: string;
  readonly id?: string;
  readonly transaction?: string;
  readonly digest?: string;
  readonly issuer?: string;
  readonly audience?: readonly string[];
  readonly client?: string;
  readonly scopes?: readonly string[];
  readonly issuedAt?: string;
  readonly notBefore?: string;
  readonly expiresAt?: string;
  readonly binding?: 'bearer' | 'dpop' | 'mtls' | 'wpt';
  readonly verification: Verification;
}

/** No credential came. */
export const NO_AUTHORITY: Authority = { profile: 'none', verification: { status: 'absent' } };

type Claims = Readonly<Record<string, unknown>>;

/** Takes the claims of the allow-list and nothing else; a claim of the wrong form is left out and named as an anomaly. */
export function authorityClaims(claims: Claims, anomalies: Anomalies): Omit<Authority, 'profile' | 'verification'> {
  const text = (name: string, max: number) => boundedText(claims[name], { max, name, anomalies });
  const time = (name: string) => numericDate(claims[name], name, anomalies);
  return defined({
    id: text('jti', 512),
    transaction: text('txn', 512),
    issuer: text('iss', 2048),
    audience: listOf(claims.aud, { max: 2048, maxItems: 32, name: 'aud', anomalies }),
    client: text('client_id', 512) ?? text('azp', 512),
    scopes: scopesOf(claims, anomalies),
    issuedAt: time('iat'),
    notBefore: time('nbf'),
    expiresAt: time('exp'),
  });
}

/** `scope` as a space-delimited string (RFC 8693 section 4.2) or, as some issuers write it, a list; `scp` likewise. */
function scopesOf(claims: Claims, anomalies: Anomalies): readonly string[] | undefined {
  const value = claims.scope ?? claims.scp;
  const list = typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : value;
  return listOf(list, { max: 256, maxItems: 256, name: 'scope', anomalies });
}

function listOf(
  value: unknown,
  limits: { max: number; maxItems: number; name: string; anomalies: Anomalies },
): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  return boundedList(Array.isArray(value) ? value : [value], limits);
}

/** NumericDate (RFC 7519 section 2), seconds, as decimal nanoseconds. Ten digits of seconds reach the year 2286. */
function numericDate(value: unknown, name: string, anomalies: Anomalies): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value < 1e10)
    return (BigInt(Math.trunc(value)) * 1_000_000_000n).toString();
  anomalies.add('time_out_of_range', name);
  return undefined;
}
