import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { type Configuration, errors, Provider } from 'oidc-provider';
import type { ExchangeSeen } from './delegation.ts';
import { TOKEN_EXCHANGE } from './grant-type.ts';
import { addLogin } from './login.ts';
import { APP, GATEWAY, SCOPES, SERVICES, USER } from './parties.ts';
import { registerTokenExchange } from './token-exchange.ts';

/** What the provider must share with others to know them: the user's password and a secret per service. */
export interface ProviderSecrets {
  readonly password: string;
  readonly clients: Readonly<Record<string, string>>; // by client id
}

export interface RunningProvider {
  readonly issuer: string;
  readonly server: Server;
  readonly provider: Provider;
}

/**
 * Starts an OpenID provider on a free loopback port: authorization-code flow with PKCE for the app, JWT access tokens
 * (RFC 9068) for one resource each (RFC 8707), and token exchange (RFC 8693) for the services. Keys live as long as it does.
 */
export async function startProvider(
  secrets: ProviderSecrets,
  onExchange: (seen: ExchangeSeen) => void,
): Promise<RunningProvider> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const name = { kid: 'demo-1', alg: 'ES256', use: 'sig' };
  const server = createServer();
  await new Promise<void>((listening, failed) =>
    server.once('error', failed).listen(0, '127.0.0.1', () => listening()),
  );
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let actOf: (token: object) => object | undefined = () => undefined;
  const provider = new Provider(issuer, {
    ...configuration(secrets, (token) => actOf(token)),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), ...name }] },
  });
  const publicKeys = { keys: [{ ...(await exportJWK(publicKey)), ...name }] };
  const exchange = registerTokenExchange(provider, publicKeys, onExchange);
  actOf = (token) => exchange.actOf.get(token);
  addLogin(provider, secrets.password);
  server.on('request', provider.callback());
  return { issuer, server, provider };
}

const configuration = (secrets: ProviderSecrets, actOf: (token: object) => object | undefined): Configuration => ({
  clients: [
    {
      client_id: APP.clientId,
      application_type: 'native',
      redirect_uris: [APP.redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    ...SERVICES.map(({ name }) => ({
      client_id: name,
      client_secret: secrets.clients[name] ?? randomBytes(32).toString('base64url'), // a service without a secret cannot sign in
      grant_types: [TOKEN_EXCHANGE],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post' as const,
    })),
  ],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  claims: { openid: ['sub'] },
  scopes: ['openid'],
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  pkce: { required: () => true },
  ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 3600, IdToken: 300, Interaction: 300, Session: 3600 },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) => (id === USER ? { accountId: id, claims: () => ({ sub: id }) } : undefined),
  clientBasedCORS: () => false,
  extraTokenClaims: (_ctx, token) => {
    const act = actOf(token);
    return { sub_profile: 'user', ...(act === undefined ? {} : { act }) };
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource, client) => {
        if (client.clientId !== APP.clientId || resource !== GATEWAY.resource) throw new errors.InvalidTarget();
        return { scope: SCOPES.join(' '), audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 300 };
      },
    },
  },
});
