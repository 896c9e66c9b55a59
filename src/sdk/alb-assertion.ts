import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Anomalies } from './anomalies.ts';
import type { EdgeOptions, EdgeRules, SharedRules } from './edge-assertion.ts';
import { isAllowedUrl } from './issuer-keys.ts';
import { quietly } from './quiet.ts';
import type { RefusalCode } from './refusal.ts';
import { MAX_TOKEN_LENGTH } from './token-claims.ts';
import { tokenDigest } from './token-digest.ts';
import { readToken, type TokenReading } from './verify-token.ts';

const MAX_KEYS = 16;
const MAX_KEY_BYTES = 4096;
const plainFetch = globalThis.fetch;

type AlbOptions = Extract<EdgeOptions, { kind: 'alb' }>;

/**
 * Checks what an AWS application load balancer says of whom it let in. Its JWS is not one that JOSE libraries read: the parts
 * are padded base64, the issuer and the expiry stand in the header, and keys are single PEM files by key id.
 */
export function albVerifier(o: AlbOptions, shared: SharedRules): EdgeRules['verify'] {
  const [, region] = /^arn:aws[\w-]*:elasticloadbalancing:([a-z0-9-]{1,32}):/.exec(o.signer) ?? [];
  const keysUrl = o.keysUrl ?? (region && `https://public-keys.auth.elb.${region}.amazonaws.com/`);
  if (keysUrl === undefined || !isAllowedUrl(keysUrl, shared.allowHttp))
    throw new TypeError('behalf.guard: edge.signer must be the ARN of a load balancer, edge.keysUrl an https URL');
  const keys = new Map<string, KeyObject>();
  const keyOf = async (kid: string): Promise<KeyObject | undefined> => {
    const known = keys.get(kid) ?? (await fetchKey(new URL(kid, keysUrl).href));
    if (known === undefined) return undefined;
    if (keys.size >= MAX_KEYS) keys.clear();
    keys.set(kid, known);
    return known;
  };
  return async (assertion, anomalies) => {
    const refused = await check(assertion, { o, keyOf, toleranceSeconds: shared.clockToleranceSeconds });
    return read(assertion, refused, { shared, anomalies });
  };
}

function read(
  assertion: string,
  refused: RefusalCode | undefined,
  { shared, anomalies }: { shared: SharedRules; anomalies: Anomalies },
): TokenReading {
  const status = refused === undefined ? 'verified' : refused === 'keys_unavailable' ? 'unverified' : 'failed';
  const verification = { status, by: shared.by, ...(refused && { reason: refused }) } as const;
  const plain = assertion.replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_');
  const { actProblem: _, ...reading } = readToken(plain, {
    ...shared,
    verification,
    anomalies,
    basis: 'assertion',
    profile: 'edge-alb',
  });
  const authority = { ...reading.authority, digest: tokenDigest(assertion) };
  return { ...reading, authority, ...(refused && { refused }) };
}

async function check(
  assertion: string,
  {
    o,
    keyOf,
    toleranceSeconds,
  }: { o: AlbOptions; keyOf: (kid: string) => Promise<KeyObject | undefined>; toleranceSeconds: number },
): Promise<RefusalCode | undefined> {
  if (assertion.length > MAX_TOKEN_LENGTH) return 'token_too_large';
  const [head = '', claims = '', signature = '', ...more] = assertion.split('.');
  const header = parse(head);
  if (header === undefined || parse(claims) === undefined || more.length > 0) return 'token_malformed';
  const { alg, kid, signer, iss, exp } = header;
  if (alg !== 'ES256') return 'algorithm_not_allowed';
  if (typeof kid !== 'string' || !/^[\w-]{1,64}$/.test(kid)) return 'key_unknown';
  if (signer !== o.signer) return 'wrong_audience';
  if (iss !== o.issuer) return 'wrong_issuer';
  if (typeof exp !== 'number') return 'claim_missing';
  if (exp + toleranceSeconds <= Date.now() / 1000) return 'expired';
  const key = await keyOf(kid).catch(() => 'unavailable' as const);
  if (key === 'unavailable') return 'keys_unavailable';
  if (key === undefined) return 'key_unknown';
  const signed = Buffer.from(`${head}.${claims}`);
  const isValid = verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64'));
  return isValid ? undefined : 'signature_invalid';
}

function parse(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when there is no such key; rejects when it cannot be had. */
async function fetchKey(url: string): Promise<KeyObject | undefined> {
  const response = await quietly(() => plainFetch(url, { redirect: 'error', signal: AbortSignal.timeout(5_000) }));
  if (response.status === 404 || response.status === 403) return undefined;
  if (!response.ok) throw new Error(`the key server answered ${response.status}`);
  const pem = await response.text();
  if (pem.length > MAX_KEY_BYTES) throw new Error('the key is larger than 4 KiB');
  return createPublicKey(pem);
}
