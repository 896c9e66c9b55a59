import assert from 'node:assert/strict';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Anomalies } from '../../src/sdk/anomalies.ts';
import { TokenCache } from '../../src/sdk/token-cache.ts';
import { BEARER_TYPES, type TokenRules, verifyToken } from '../../src/sdk/verify-token.ts';

/** How long a token that was verified before takes, in microseconds: median over batches, each of fresh strings. */
export async function cachedVerificationMicros(): Promise<number> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const token = await new SignJWT({ scope: 'invoice.pay', act: { sub: 'gateway', act: { sub: 'app' } } })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer('i')
    .setAudience('a')
    .setSubject('dana')
    .setExpirationTime('5m')
    .sign(privateKey);
  const rules: TokenRules = {
    keys: async () => jwk,
    issuer: 'i',
    audience: ['a'],
    algorithms: ['ES256'],
    types: BEARER_TYPES,
    requiredClaims: ['exp', 'sub'],
    basis: 'token',
    clockToleranceSeconds: 5,
    maxActors: 16,
    assume: {},
    by: 'bench',
    cache: new TokenCache(),
  };
  await verifyToken(token, rules, new Anomalies());
  const bytes = Buffer.from(token);
  const batches = Array.from({ length: 50 }, () => {
    // A request brings its own string, whose hash is not known yet.
    const tokens = Array.from({ length: 1000 }, () => bytes.toString('latin1'));
    const from = performance.now();
    for (const each of tokens) assert.ok(!(verifyToken(each, rules, new Anomalies()) instanceof Promise));
    return performance.now() - from; // milliseconds for a thousand: microseconds for one
  });
  return batches.toSorted((a, b) => a - b)[25] ?? Number.NaN;
}
