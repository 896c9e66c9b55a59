import { createHash, randomBytes } from 'node:crypto';
import { APP, GATEWAY, USER } from './parties.ts';

/** What a person brings to a sign-in. */
export interface SignIn {
  readonly issuer: string;
  readonly password: string;
  readonly scopes: readonly string[]; // asked for at the gateway
}

/**
 * Signs the user in as her browser and the app would, and returns the app's access token for the gateway: authorization
 * request with PKCE (RFC 7636), the provider's own sign-in and consent pages, the code, the token. Throws when refused.
 */
export async function signIn({ issuer, password, scopes }: SignIn): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const request = new URL('/auth', issuer);
  request.search = new URLSearchParams({
    client_id: APP.clientId,
    response_type: 'code',
    redirect_uri: APP.redirectUri,
    scope: ['openid', ...scopes].join(' '),
    resource: GATEWAY.resource,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const answer = await browse(request, { user: USER, password, consent: 'yes' });
  const code = answer.searchParams.get('code');
  if (code === null || answer.searchParams.get('state') !== state || answer.searchParams.get('iss') !== issuer) {
    throw new Error(`sign-in refused: ${answer.searchParams.get('error_description') ?? 'no code came back'}`);
  }
  return redeem(issuer, code, verifier);
}

/** Follows the provider's redirects with its cookies and fills in its forms, until it sends the browser back to the app. */
async function browse(start: URL, form: Readonly<Record<string, string>>): Promise<URL> {
  const cookies = new Map<string, string>();
  let at = start;
  for (let step = 0; step < 12; step += 1) {
    if (at.href.startsWith(APP.redirectUri)) return at;
    const isForm = at.pathname.startsWith('/interaction/');
    const response = await fetch(at, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(isForm ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`sign-in: ${at.pathname} answered ${response.status}: ${await response.text()}`);
    at = new URL(location, at);
  }
  throw new Error('sign-in: the provider keeps redirecting');
}

async function redeem(issuer: string, code: string, verifier: string): Promise<string> {
  const response = await fetch(new URL('/token', issuer), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: APP.clientId,
      redirect_uri: APP.redirectUri,
      code,
      code_verifier: verifier,
    }),
  });
  const answer = (await response.json()) as { readonly access_token?: string; readonly error_description?: string };
  if (answer.access_token === undefined)
    throw new Error(`sign-in: no token: ${response.status} ${answer.error_description ?? ''}`);
  return answer.access_token;
}
