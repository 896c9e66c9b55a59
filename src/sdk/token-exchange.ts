import {
  type AuthorizationServer,
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  discoveryRequest,
  genericTokenEndpointRequest,
  processDiscoveryResponse,
  processGenericTokenEndpointResponse,
  ResponseBodyError,
} from 'oauth4webapi';
import type { ExchangeOptions } from './exchange-settings.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPES = 'urn:ietf:params:oauth:token-type:';
const TIMEOUT_MS = 5_000;

interface RequestOptions {
  readonly [customFetch]: (url: string, init: object) => Promise<Response>;
  readonly [allowInsecureRequests]: true;
  readonly signal: AbortSignal;
}

/** What kind of token is wanted (RFC 8693 section 3; draft-ietf-oauth-transaction-tokens). */
export type RequestedToken = 'access_token' | 'txn_token';

export interface ExchangeRequest {
  readonly subjectToken: string;
  readonly subjectTokenType: RequestedToken;
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly requestedToken: RequestedToken;
}

export interface ExchangedToken {
  readonly token: string;
  /** As granted: what was asked for when the answer names none (RFC 6749 section 5.1). */
  readonly scopes: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

/** The authorization server refused: `error` is its code (RFC 6749 section 5.2), of the characters such a code has. */
export class ExchangeRefused extends Error {
  override readonly name = 'ExchangeRefused';
  readonly error: string;
  constructor(error: string) {
    super(`the token exchange was refused: ${error}`);
    this.error = error;
  }
}

export type TokenExchange = (request: ExchangeRequest) => Promise<ExchangedToken>;

/**
 * Exchanges tokens at one authorization server. Rejects with ExchangeRefused when it says no, and with what went wrong when
 * it cannot be asked. A token whose life is not told is taken to live for a minute.
 */
export function tokenExchange(
  options: ExchangeOptions,
  fetch: (url: string, init: RequestInit) => Promise<Response>,
): TokenExchange {
  const request = (): RequestOptions => ({
    [customFetch]: (url, init) => fetch(url, init),
    [allowInsecureRequests]: true, // exchange-settings.ts has looked at the URLs
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  let found: Promise<AuthorizationServer> | undefined;
  const server = (): Promise<AuthorizationServer> => {
    found ??= locate(options, request()).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  return async (asked) => {
    const as = await server();
    const client = { client_id: options.clientId };
    const response = await genericTokenEndpointRequest(
      as,
      client,
      clientAuth(options),
      GRANT,
      parametersOf(asked),
      request(),
    );
    const recognizedTokenTypes = { n_a: () => undefined };
    const answer = await processGenericTokenEndpointResponse(as, client, response, { recognizedTokenTypes }).catch(
      refused,
    );
    checkIssued(answer.issued_token_type, asked.requestedToken);
    const scopes = answer.scope === undefined ? asked.scopes : answer.scope.split(' ').filter((scope) => scope !== '');
    return { token: answer.access_token, scopes, expiresAtMs: Date.now() + (answer.expires_in ?? 60) * 1000 };
  };
}

async function locate(
  { issuer, tokenEndpoint }: ExchangeOptions,
  request: RequestOptions,
): Promise<AuthorizationServer> {
  if (tokenEndpoint !== undefined) return { issuer, token_endpoint: tokenEndpoint };
  const expected = new URL(issuer);
  for (const algorithm of ['oauth2', 'oidc'] as const) {
    const response = await discoveryRequest(expected, { ...request, algorithm });
    if (response.status === 404) continue;
    return processDiscoveryResponse(expected, response);
  }
  throw new Error('the authorization server publishes no metadata');
}

const clientAuth = ({ clientSecret, clientAuthentication }: ExchangeOptions): ClientAuth =>
  clientAuthentication === 'client_secret_post' ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret);

const parametersOf = ({
  subjectToken,
  subjectTokenType,
  audience,
  scopes,
  requestedToken,
}: ExchangeRequest): Record<string, string> => ({
  subject_token: subjectToken,
  subject_token_type: TYPES + subjectTokenType,
  audience,
  ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  ...(requestedToken !== 'access_token' && { requested_token_type: TYPES + requestedToken }),
});

/** Section 2.2.1. A token of another kind than was asked for would travel where it must not. */
function checkIssued(issued: unknown, requested: RequestedToken): void {
  if (requested === 'access_token' || issued === TYPES + requested) return;
  throw new ExchangeRefused('issued_token_type_differs');
}

function refused(error: unknown): never {
  if (!(error instanceof ResponseBodyError)) throw error;
  throw new ExchangeRefused(/^[\w.:-]{1,64}$/.test(error.error) ? error.error : 'an error code that is none');
}
