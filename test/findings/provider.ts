import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import type { ExchangeSeen } from '../../src/demo/delegation.ts';
import { TOKEN_EXCHANGE } from '../../src/demo/grant-type.ts';
import { addLogin } from '../../src/demo/login.ts';
import { APP, SCOPES, SERVICES, USER } from '../../src/demo/parties.ts';
import { registerTokenExchange } from '../../src/demo/token-exchange.ts';

export const PASSWORD = 'correct horse';
export const secretOf = (client: string): string => `secret of ${client}`;

interface Flaws {
  /** Requesters whose exchanges lose every actor, as in keycloak#52691. */
  readonly launders: readonly string[];
  readonly onExchange: (seen: ExchangeSeen) => void;
}

/** A real OpenID provider with token exchange (RFC 8693) and client credentials, and the flaws it is asked to have. */
export async function openProvider(t: TestContext, { launders, onExchange }: Flaws): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const name = { kid: 'k1', alg: 'ES256', use: 'sig' };
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
  t.after(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let actOf = new WeakMap<object, { readonly sub: string }>();
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), ...name }] },
    clients: [
      {
        client_id: APP.clientId,
        application_type: 'native',
        redirect_uris: [APP.redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      ...SERVICES.map(({ name: client_id }) => ({
        client_id,
        client_secret: secretOf(client_id),
        grant_types: [TOKEN_EXCHANGE, 'client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post' as const,
      })),
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    scopes: ['openid'],
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, id) => (id === USER ? { accountId: id, claims: () => ({ sub: id }) } : undefined),
    extraTokenClaims: (_ctx, token) => {
      const act = actOf.get(token);
      const kept = act === undefined || launders.includes(act.sub) ? {} : { act };
      return { sub_profile: token.kind === 'ClientCredentials' ? 'service' : 'user', ...kept };
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, audience) => ({
          scope: SCOPES.join(' '),
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
        }),
      },
    },
  });
  const keys = { keys: [{ ...(await exportJWK(publicKey)), ...name }] };
  actOf = registerTokenExchange(provider, keys, onExchange).actOf;
  addLogin(provider, PASSWORD);
  server.on('request', provider.callback());
  return issuer;
}
