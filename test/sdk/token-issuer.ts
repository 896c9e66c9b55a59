import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';

export const AUDIENCE = 'https://payments.example';

/** An issuer on loopback: real keys, published with its metadata. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly publicKeyPem: string;
  /** A signed access token (RFC 9068) for AUDIENCE; `claims` and `header` add to it or replace, undefined takes away. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
    key?: CryptoKey,
  ): Promise<string>;
  /** How often each path was fetched. */
  readonly fetched: Map<string, number>;
  /** What the server answers to everything; 200 by default. */
  status: number;
  stop(): Promise<void>;
}

export async function tokenIssuer(t: { after(run: () => unknown): void }): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256', use: 'sig' }];
  const fetched = new Map<string, number>();
  const server = createServer((req, res) => {
    const path = req.url ?? '';
    fetched.set(path, (fetched.get(path) ?? 0) + 1);
    const answers: Record<string, unknown> = {
      '/keys': { keys },
      '/tenant/.well-known/openid-configuration': { issuer: made.issuer, jwks_uri: made.jwksUri },
    };
    const answer = answers[path];
    res.writeHead(answer === undefined ? 404 : made.status, { 'content-type': 'application/json' });
    res.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  const made: TokenIssuer = {
    issuer: `${base}/tenant`,
    jwksUri: `${base}/keys`,
    publicKeyPem: await exportSPKI(publicKey),
    fetched,
    status: 200,
    stop,
    sign: (claims = {}, header = {}, key = privateKey) => {
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: made.issuer,
        aud: AUDIENCE,
        sub: 'dana',
        iat: now,
        exp: now + 300,
        scope: 'invoice.pay',
        ...claims,
      };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'ES256', kid: 'key-1', typ: 'at+jwt', ...header })
        .sign(key);
    },
  };
  t.after(stop);
  return made;
}

/** A JWT put together by hand, for what no library would sign. */
export const handmadeToken = (header: object, claims: object, signature = ''): string =>
  `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.${signature}`;

/** `act` nested `depth` deep; `actor-1` is the oldest. */
export function nestedAct(depth: number): object {
  let act: object = { sub: 'actor-1' };
  for (let index = 2; index <= depth; index += 1) act = { sub: `actor-${index}`, act };
  return act;
}
