import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './grant-type.ts';

/** The provider refused: `error` is its OAuth error code (RFC 6749 section 5.2). */
export class ExchangeRefused extends Error {
  override readonly name = 'ExchangeRefused';
  readonly error: string;
  constructor(error: string, description: string) {
    super(`the provider refused the token exchange: ${error}: ${description}`);
    this.error = error;
  }
}

/** How a call to the provider is told by those who record their calls. */
export const EXCHANGE_CALL = { peerService: 'provider', operation: 'token exchange' } as const;

export interface ExchangeRequest {
  readonly issuer: string;
  readonly client: string;
  readonly secret: string;
  readonly subjectToken: string;
  readonly audience: string;
  readonly scope?: string; // all that the subject token holds, when absent
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** Asks the provider for a token for `audience` on behalf of the subject of `subjectToken` (RFC 8693). Throws ExchangeRefused. */
export async function exchangeToken(request: ExchangeRequest): Promise<string> {
  const response = await request.fetch(`${request.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: TOKEN_EXCHANGE,
      client_id: request.client,
      client_secret: request.secret,
      subject_token: request.subjectToken,
      subject_token_type: ACCESS_TOKEN_TYPE,
      audience: request.audience,
      ...(request.scope === undefined ? {} : { scope: request.scope }),
    }),
  });
  const answer = (await response.json()) as Readonly<Record<string, string | undefined>>;
  const { access_token: token, error = `status ${response.status}`, error_description: description = '' } = answer;
  if (token === undefined) throw new ExchangeRefused(error, description);
  return token;
}
