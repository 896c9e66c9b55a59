import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { errors, Provider } from 'oidc-provider';

export const TOKEN_TYPES = 'urn:ietf:params:oauth:token-type:';

export interface TokenRequest {
  readonly params: Readonly<Record<string, unknown>>;
  readonly clientId: string;
  /** Claims of the subject token or assertion, verified. */
  readonly held: JWTPayload;
}

export interface IssuedToken {
  readonly typ: string;
  readonly claims: JWTPayload;
  /** What the answer holds beside the token. */
  readonly answer: Readonly<Record<string, unknown>>;
}

export interface TokenService {
  readonly issuer: string;
  readonly jwksUri: string;
  /** What came, in order. */
  readonly asked: readonly TokenRequest[];
  sign(typ: string, claims: JWTPayload): Promise<string>;
}

/**
 * A real provider (oidc-provider) on loopback with one more grant: it authenticates the client `gateway`, verifies the
 * `subject_token` or `assertion` with its own keys or those at `trusts`, and signs what `issue` says.
 */
export async function tokenService(
  t: TestContext,
  o: { grant: string; trusts?: () => string; issue: (request: TokenRequest) => IssuedToken },
): Promise<TokenService> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const name = { kid: 'sts-1', alg: 'ES256', use: 'sig' };
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { client_id: 'gateway', client_secret: 'secret', grant_types: [o.grant] };
  const provider = new Provider(issuer, {
    clients: [{ ...client, redirect_uris: [], response_types: [] }],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    features: { devInteractions: { enabled: false } },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), ...name }] },
    cookies: { keys: ['only-here'] },
  });
  const own = { keys: [{ ...(await exportJWK(publicKey)), ...name }] };
  const keys = async () =>
    createLocalJWKSet(o.trusts === undefined ? own : ((await (await fetch(o.trusts())).json()) as typeof own));
  const asked: TokenRequest[] = [];
  const sign = (typ: string, claims: JWTPayload) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'sts-1', typ }).sign(privateKey);
  const read = async (token: unknown): Promise<JWTPayload> => {
    const verified = await jwtVerify(String(token), await keys()).catch((cause: unknown) => {
      throw new errors.InvalidGrant(String(cause));
    });
    return verified.payload;
  };
  provider.registerGrantType(
    o.grant,
    async (ctx) => {
      const { params, client } = ctx.oidc;
      const request = { params, clientId: client.clientId, held: await read(params.subject_token ?? params.assertion) };
      asked.push(request);
      const { typ, claims, answer } = o.issue(request);
      ctx.body = { access_token: await sign(typ, claims), expires_in: 300, ...answer };
    },
    ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope', 'assertion'],
  );
  server.on('request', provider.callback());
  return { issuer, jwksUri: `${issuer}/jwks`, asked, sign };
}
