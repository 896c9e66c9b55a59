import { activeContext, delegationIn, runInContext, withDelegation } from './active-context.ts';
import { Anomalies } from './anomalies.ts';
import { Delegation } from './delegation.ts';
import type { Exchange } from './exchange.ts';
import { ExchangeCache } from './exchange-cache.ts';
import type { Settings } from './settings.ts';
import { type ExchangedToken, ExchangeRefused, type RequestedToken, type TokenExchange } from './token-exchange.ts';
import { TXN_PROFILE, txnView } from './txn-token.ts';
import { readToken } from './verify-token.ts';

export interface DelegateOptions {
  /** Who shall accept the token. */
  readonly audience: string;
  /** What it shall allow; all that is held by default. Never more than is held. */
  readonly scopes?: readonly string[];
  /** What for: stands in the observations of the calls that `fn` makes. */
  readonly purpose?: string;
  /**
   * A Txn-Token (draft-ietf-oauth-transaction-tokens) instead of an access token: `audience` is its trust domain, and it goes
   * to origins that `audiences` names with it. Where the token held is one, it is replaced by another.
   */
  readonly requestedToken?: RequestedToken;
}

export type DelegateErrorCode =
  | 'no_delegation'
  | 'not_configured'
  | 'scope_not_held'
  | 'exchange_refused'
  | 'exchange_unavailable'
  | 'scope_widened';

/** No narrower token was to be had; `fn` was not run. */
export class DelegateError extends Error {
  override readonly name = 'DelegateError';
  readonly code: DelegateErrorCode;
  constructor(code: DelegateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Runs `fn` under a narrower token than the one that came in: exchanged by RFC 8693, kept until shortly before it expires,
 * and recorded, granted or not. Asking for a scope that is not held is refused here. Rejects with DelegateError, or as `fn` does.
 */
export type Delegate = <T>(options: DelegateOptions, fn: (delegation: Delegation) => T | Promise<T>) => Promise<T>;

export function delegate(o: {
  settings: Settings;
  exchange: TokenExchange | undefined;
  record: (exchange: Exchange) => void;
}): Delegate {
  const cache = new ExchangeCache();
  return async (options, fn) => {
    const active = activeContext();
    const held = delegationIn(active);
    if (o.exchange === undefined)
      throw new DelegateError('not_configured', 'delegate: give startBehalf({ exchange }) first');
    if (held === undefined)
      throw new DelegateError(
        'no_delegation',
        'delegate: no verified token is held here: call it in a guarded request',
      );
    const asked = { ...options, scopes: options.scopes ?? held.authority.scopes ?? [] };
    const account = accountOf(held, asked, o.settings);
    refuseWider(held, asked.scopes, (exchange) => o.record({ ...account, ...exchange }));
    const { exchange } = o;
    const token = await cache.get(cacheKey(held, asked), () =>
      perform(exchange, { held, asked, record: (seen) => o.record({ ...account, ...seen }) }),
    );
    const delegation = delegationFrom(token, { held, options, settings: o.settings });
    return runInContext(withDelegation(active, delegation), () => fn(delegation));
  };
}

type Asked = DelegateOptions & { readonly scopes: readonly string[] };

const accountOf = (held: Delegation, { audience, scopes }: Asked, { exchange, service }: Settings): Exchange => ({
  tokenIn: held.bearerToken(),
  requester: { type: 'service', issuer: exchange?.issuer ?? '', id: exchange?.clientId ?? service },
  audience,
  ...(exchange && { issuer: exchange.issuer }),
  ...(held.authority.scopes && { scopesHeld: held.authority.scopes }),
  scopesRequested: scopes,
});

type Denial = Pick<Exchange, 'decision'>;
const denied = (reason: string): Denial => ({ decision: { outcome: 'deny', policy: 'behalf-delegate', reason } });

function refuseWider(held: Delegation, scopes: readonly string[], record: (seen: Denial) => void): void {
  const holds = new Set(held.authority.scopes);
  const wider = scopes.filter((scope) => !holds.has(scope));
  if (wider.length === 0) return;
  record(denied('scope_not_held'));
  throw new DelegateError(
    'scope_not_held',
    `delegate: the token held does not have the scope ${wider.join(' ').slice(0, 256)}`,
  );
}

/** What is granted beyond what was asked for is not used: it was not asked for. */
async function perform(
  exchange: TokenExchange,
  { held, asked, record }: { held: Delegation; asked: Asked; record: (seen: Partial<Exchange>) => void },
): Promise<ExchangedToken> {
  const { audience, scopes, requestedToken = 'access_token' } = asked;
  const subjectToken = held.bearerToken();
  const subjectTokenType = held.authority.profile === TXN_PROFILE ? 'txn_token' : 'access_token';
  const granted = await exchange({ subjectToken, subjectTokenType, audience, scopes, requestedToken }).catch(
    (cause: unknown) => {
      const isRefusal = cause instanceof ExchangeRefused;
      record(denied(isRefusal ? cause.error : 'exchange_unavailable'));
      if (isRefusal) throw new DelegateError('exchange_refused', `delegate: ${cause.message}`, { cause });
      throw new DelegateError('exchange_unavailable', 'delegate: the authorization server cannot be asked now', {
        cause,
      });
    },
  );
  const seen = { tokenOut: granted.token, scopesGranted: granted.scopes };
  const isWider = granted.scopes.some((scope) => !scopes.includes(scope));
  record({ ...seen, ...(isWider && denied('scope_widened')) });
  if (isWider)
    throw new DelegateError('scope_widened', 'delegate: more was granted than was asked for; the token is not used');
  return granted;
}

/** Nobody here has verified the new token: it came from the authorization server itself. */
function delegationFrom(
  { token, scopes }: ExchangedToken,
  { held, options, settings }: { held: Delegation; options: DelegateOptions; settings: Settings },
): Delegation {
  const verification = { status: 'unverified', reason: 'exchanged' } as const;
  const anomalies = new Anomalies();
  const { subject, actors, authority } = readToken(token, {
    verification,
    maxActors: 64,
    assume: settings.assume,
    anomalies,
    ...(options.requestedToken === 'txn_token' && { profile: TXN_PROFILE, view: txnView(options.audience) }),
  });
  return new Delegation({
    subject: subject ?? held.subject,
    actors: subject === undefined ? held.actors : actors,
    authority: { ...authority, scopes: authority.scopes ?? scopes },
    hop: held.hop,
    token,
    purpose: options.purpose,
  });
}

const cacheKey = (held: Delegation, { audience, scopes, requestedToken }: Asked): string =>
  JSON.stringify([held.authority.digest, audience, scopes.toSorted(), requestedToken]);
