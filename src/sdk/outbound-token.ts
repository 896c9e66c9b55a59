import type { Anomalies } from './anomalies.ts';
import type { Delegation } from './delegation.ts';
import type { Settings, TokenSource } from './settings.ts';
import { unverifiedClaims } from './token-claims.ts';
import { TXN_PROFILE } from './txn-token.ts';
import { WIT_PROFILE } from './workload-identity.ts';

/** Always identity, whatever they hold: they go to configured origins only. */
const IDENTITY_HEADERS = ['txn-token', 'workload-identity-token', 'workload-proof-token', 'baggage'];

/** The tokens that an outbound call could carry. */
export interface Tokens {
  /** The one to attach, if the target may have it: the call's, else the delegation's, else the service's. */
  readonly chosen: string | undefined;
  /** The header it travels in. */
  readonly carrier: 'authorization' | 'txn-token';
  /** None of these may leave for an origin that is not configured, in whichever header. */
  readonly known: readonly string[];
}

export function outboundTokens(
  perCall: string | undefined,
  delegation: Delegation | undefined,
  own: string | undefined,
): Tokens {
  const inherited = delegation?.bearerToken();
  const carrier = perCall === undefined && delegation !== undefined ? carrierOf(delegation) : 'authorization';
  const isForwarded = carrier !== undefined;
  const some = (token: string | undefined) => token !== undefined && token !== '';
  const chosen = [perCall, isForwarded ? inherited : undefined, own].find(some);
  return {
    chosen,
    carrier: chosen === inherited ? (carrier ?? 'authorization') : 'authorization',
    known: [perCall, inherited, own].flatMap((token) => token || []),
  };
}

/**
 * A Txn-Token travels in its own header, unchanged; what an edge asserts of a person is for the service behind
 * it alone, and a WIT is its workload's own.
 */
function carrierOf({ authority }: Delegation): Tokens['carrier'] | undefined {
  if (authority.profile === TXN_PROFILE) return 'txn-token';
  return authority.profile.startsWith('edge-') || authority.profile === WIT_PROFILE ? undefined : 'authorization';
}

/** A source that fails leaves the call without the service's token; the callee then refuses it, and both sides tell. */
export async function ownToken(source: TokenSource | undefined, anomalies: Anomalies): Promise<string | undefined> {
  if (typeof source !== 'function') return source;
  try {
    return await source();
  } catch {
    anomalies.add('token_source_failed', 'the token function given to startBehalf threw');
    return undefined;
  }
}

/**
 * Puts the token into `headers` when `origin` is configured and the token names its audience; towards any other origin
 * takes out every header that is, or carries, an identity. What is withheld is named as an anomaly. The program's own
 * credential for that origin stays.
 */
export function arrangeIdentity(
  headers: Headers,
  tokens: Tokens,
  o: { origin: string; audience: string | undefined; audiences: Settings['audiences']; anomalies: Anomalies },
): void {
  const configured = o.audiences.get(o.origin);
  if (configured === undefined) {
    withhold(headers, tokens.known, o.anomalies);
  } else if (tokens.chosen !== undefined && isMeantFor(tokens.chosen, o.audience ?? configured)) {
    headers.set(tokens.carrier, tokens.carrier === 'authorization' ? `Bearer ${tokens.chosen}` : tokens.chosen);
  } else if (tokens.chosen !== undefined) {
    o.anomalies.add('token_withheld', 'the token names another audience than the origin is configured with');
  }
}

function withhold(headers: Headers, known: readonly string[], anomalies: Anomalies): void {
  const carries = (value: string) => known.some((token) => value.includes(token));
  for (const [name, value] of [...headers]) {
    if (!IDENTITY_HEADERS.includes(name) && !carries(value)) continue;
    headers.delete(name);
    anomalies.add('identity_withheld', `header ${name.slice(0, 64)}: the origin is not among the configured audiences`);
  }
}

/** An opaque token tells no audience: then the configuration stands alone. */
function isMeantFor(token: string, audience: string | true): boolean {
  if (audience === true) return true;
  const claims = unverifiedClaims(token);
  return claims === undefined || [claims.aud].flat().includes(audience);
}
