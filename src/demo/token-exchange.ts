import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import { type Act, type ExchangeSeen, parseAct } from './delegation.ts';
import {
  EXCHANGE_PARAMETERS,
  narrow,
  nest,
  type SubjectToken,
  splitScopes,
  subjectTokenIn,
  targetIn,
} from './exchange-policy.ts';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './grant-type.ts';
import { type DemoService, SCOPES, SERVICES } from './parties.ts';

export interface TokenExchange {
  /** `act` of tokens this grant issues: for the provider's `extraTokenClaims`. */
  readonly actOf: WeakMap<object, Act>;
}

/**
 * Adds the RFC 8693 grant to a provider. The requester is the authenticated client; it may exchange only tokens issued to
 * its own audience, only for the audiences it may call, and never for more scope than the token holds. What comes out is
 * a delegation: `act` names the requester, the actors before it nested inside (section 4.1). Every exchange, granted or
 * refused, is told to `onExchange` before the answer goes out.
 */
export function registerTokenExchange(
  provider: Provider,
  keys: JSONWebKeySet,
  onExchange: (seen: ExchangeSeen) => void,
): TokenExchange {
  const keySet = createLocalJWKSet(keys);
  const actOf = new WeakMap<object, Act>();
  const grantOf = new Map<string, string>(); // by jti, as long as this demo's provider lives
  provider.on('access_token.issued', (token) => grantOf.set(token.jti, token.grantId));
  const verify = (text: string, audience: string) =>
    jwtVerify(text, keySet, { issuer: provider.issuer, audience, typ: 'at+jwt', algorithms: ['ES256'] });
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    (ctx) => exchange(ctx, { provider, actOf, grantOf, verify, onExchange }),
    EXCHANGE_PARAMETERS,
  );
  return { actOf };
}

interface Issuer extends TokenExchange {
  readonly provider: Provider;
  readonly grantOf: ReadonlyMap<string, string>;
  readonly verify: (text: string, audience: string) => Promise<{ readonly payload: JWTPayload }>;
  readonly onExchange: (seen: ExchangeSeen) => void;
}

async function exchange(ctx: TokenEndpointGrantContext, issuer: Issuer): Promise<void> {
  const { params, client } = ctx.oidc;
  const requester = SERVICES.find(({ name }) => name === client.clientId);
  if (requester === undefined) throw new errors.UnauthorizedClient('this client may not exchange tokens');
  const text = subjectTokenIn(params);
  let seen: ExchangeSeen = {
    tokenIn: text,
    issuer: issuer.provider.issuer,
    requester,
    ...traceparentOf(ctx),
    ...(typeof params.scope === 'string' ? { scopesRequested: splitScopes(params.scope) } : {}),
    decision: { outcome: 'deny', reason: 'server_error' },
  };
  try {
    const held = await verifySubjectToken(text, requester, issuer);
    seen = { ...seen, subject: held.subject, scopesHeld: held.scopes, ...(held.act ? { actorsBefore: held.act } : {}) };
    const target = targetIn(params, requester);
    seen = { ...seen, audience: target };
    const scopes = narrow(params, held);
    const act = nest(requester, held.act, issuer.provider.issuer);
    const token = await issue(ctx, { held, target, scopes, act }, issuer);
    seen = { ...seen, tokenOut: token, scopesGranted: scopes, act, decision: { outcome: 'permit' } };
  } catch (error) {
    if (error instanceof errors.OIDCProviderError)
      seen = { ...seen, decision: { outcome: 'deny', reason: reasonOf(error) } };
    throw error;
  } finally {
    issuer.onExchange(seen);
  }
}

/** Section 2.2.2: a subject token that is invalid or unacceptable for any reason is `invalid_request`. */
async function verifySubjectToken(text: string, requester: DemoService, issuer: Issuer): Promise<SubjectToken> {
  const { payload } = await issuer.verify(text, requester.resource).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new errors.InvalidRequest(`subject_token is not an access token for ${requester.name}: ${why}`);
  });
  const { sub, exp, jti, scope, act } = payload;
  const grantId = issuer.grantOf.get(jti ?? '');
  if (typeof sub !== 'string' || typeof exp !== 'number' || grantId === undefined)
    throw new errors.InvalidRequest('subject_token was not issued by this provider');
  if ((await issuer.provider.Grant.find(grantId)) === undefined)
    throw new errors.InvalidRequest('the consent behind subject_token is gone');
  return {
    subject: sub,
    grantId,
    scopes: splitScopes(typeof scope === 'string' ? scope : ''),
    expiresAt: exp,
    act: parseAct(act),
  };
}

interface Grant {
  readonly held: SubjectToken;
  readonly target: string;
  readonly scopes: readonly string[];
  readonly act: Act;
}

async function issue(ctx: TokenEndpointGrantContext, grant: Grant, { provider, actOf }: Issuer): Promise<string> {
  const { held, target, scopes, act } = grant;
  const token = new provider.AccessToken({
    client: ctx.oidc.client,
    accountId: held.subject,
    grantId: held.grantId,
    gty: TOKEN_EXCHANGE,
    scope: scopes.join(' '),
    resourceServer: new provider.ResourceServer(target, { scope: SCOPES.join(' '), accessTokenFormat: 'jwt' }),
    expiresIn: Math.min(300, held.expiresAt - Math.floor(Date.now() / 1000)), // never outlives its source
  });
  actOf.set(token, act);
  const access_token = await token.save();
  ctx.body = {
    access_token,
    issued_token_type: ACCESS_TOKEN_TYPE,
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope: token.scope,
  };
  return access_token;
}

const reasonOf = (error: errors.OIDCProviderError): string =>
  error.error_description === undefined ? error.error : `${error.error}: ${error.error_description}`;

function traceparentOf({ headers }: TokenEndpointGrantContext): { traceparent?: string } {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? { traceparent } : {};
}
