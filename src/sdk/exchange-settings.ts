import { isAllowedUrl } from './issuer-keys.ts';

/** Where and as whom this service exchanges tokens (RFC 8693). */
export interface ExchangeOptions {
  /** The authorization server. Its metadata (RFC 8414, OpenID Connect) names the token endpoint. */
  readonly issuer: string;
  readonly tokenEndpoint?: string;
  /** This service as the authorization server knows it. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** How the secret is sent: `client_secret_basic` (the default) or `client_secret_post` (RFC 6749 section 2.3.1). */
  readonly clientAuthentication?: 'client_secret_basic' | 'client_secret_post';
  /** Accepts plain http beyond this machine. */
  readonly allowHttp?: boolean;
}

/** Throws TypeError naming the option. */
export function parseExchangeOptions(o: ExchangeOptions): ExchangeOptions {
  const wrong = (says: string): never => {
    throw new TypeError(`startBehalf: exchange.${says}`);
  };
  for (const name of ['issuer', 'clientId', 'clientSecret'] as const) {
    if (typeof o[name] !== 'string' || o[name] === '') wrong(`${name} is missing`);
  }
  for (const name of ['issuer', 'tokenEndpoint'] as const) {
    const url = o[name];
    if (url !== undefined && !isAllowedUrl(url, o.allowHttp === true))
      wrong(`${name} must be an https URL (http beyond this machine needs allowHttp)`);
  }
  if (!['client_secret_basic', 'client_secret_post', undefined].includes(o.clientAuthentication))
    wrong('clientAuthentication must be client_secret_basic or client_secret_post');
  return o;
}
