import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { quietly } from './quiet.ts';

/** The issuer's keys or metadata cannot be had now: the service's trouble, not the caller's. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

const TIMEOUT_MS = 5_000;
const RETRY_AFTER_MS = 2_000;
const MAX_METADATA_BYTES = 256 * 1024;
const plainFetch = globalThis.fetch;

/**
 * Resolves verification keys from `jwksUri`, or from the issuer's metadata (RFC 8414, else OpenID Connect discovery).
 * Nothing is fetched before the first token; failures are tried again, at most every two seconds. Keys that a token
 * brings itself (`jwk`, `jku`, `x5u`) are never looked at.
 */
export function issuerKeys(o: { issuer: string; jwksUri?: string | undefined; allowHttp: boolean }): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | undefined;
  const keySet = (): Promise<JWTVerifyGetKey> => {
    found ??= locate(o).catch((error: unknown) => {
      setTimeout(() => {
        found = undefined;
      }, RETRY_AFTER_MS).unref();
      throw error;
    });
    return found;
  };
  return async (header, token) => (await keySet())(header, token);
}

async function locate({ issuer, jwksUri, allowHttp }: Parameters<typeof issuerKeys>[0]): Promise<JWTVerifyGetKey> {
  const url = new URL(jwksUri ?? (await discover(issuer, allowHttp)));
  return createRemoteJWKSet(url, { timeoutDuration: TIMEOUT_MS, [customFetch]: unhurried() });
}

/** A fetch that is not asked again for two seconds after it failed: jose would ask for every token. */
function unhurried(): typeof plainFetch {
  let failedAtMs = Number.NEGATIVE_INFINITY;
  return async (address, init) => {
    if (performance.now() - failedAtMs < RETRY_AFTER_MS) throw new KeysUnavailable('the keys failed a moment ago');
    const response = await quietly(() => plainFetch(address, init)).catch((cause: unknown) => {
      failedAtMs = performance.now();
      return unavailable(cause);
    });
    if (!response.ok) failedAtMs = performance.now();
    return response;
  };
}

/** RFC 8414 section 3 puts the well-known part before the issuer's path, OpenID Connect behind it. */
async function discover(issuer: string, allowHttp: boolean): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  for (const place of places) {
    const metadata = await fetchJson(place);
    if (metadata === undefined) continue;
    // RFC 8414 section 3.3: metadata that names another issuer must not be used.
    if (metadata.issuer !== issuer) throw new KeysUnavailable('the metadata names another issuer');
    const { jwks_uri: found } = metadata;
    if (typeof found === 'string' && isAllowedUrl(found, allowHttp)) return found;
    throw new KeysUnavailable('the metadata names no jwks_uri this service may use');
  }
  throw new KeysUnavailable('the issuer publishes no metadata');
}

async function fetchJson(url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const init = {
    redirect: 'error',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  } as const;
  const response = await quietly(() => plainFetch(url, init)).catch(unavailable);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new KeysUnavailable(`the issuer answered ${response.status}`);
  const text = await response.text().catch(unavailable);
  if (text.length > MAX_METADATA_BYTES) throw new KeysUnavailable('the metadata is larger than 256 KiB');
  const value: unknown = await Promise.resolve(text).then(JSON.parse).catch(unavailable);
  if (typeof value !== 'object' || value === null) throw new KeysUnavailable('the metadata is not a JSON object');
  return { ...value };
}

/** https, or http on this machine, or http where the host allowed it. */
export function isAllowedUrl(text: string, allowHttp: boolean): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && (allowHttp || isLoopback));
}

function unavailable(cause: unknown): never {
  throw new KeysUnavailable('the issuer cannot be reached', { cause });
}
