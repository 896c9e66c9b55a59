import type { FastifyRequest } from 'fastify';

/** What a route asks of its callers: `{ config: { behalf: { scopes: ['invoice.pay'] } } }`. */
export interface RouteRules<R = FastifyRequest> {
  /**
   * Scopes a token must hold, all of them. A function is asked once the body is read and valid, for routes where the body
   * says what is done (JSON-RPC, MCP tools, GraphQL): the token is verified before, and what it throws refuses the call.
   */
  readonly scopes?: readonly string[] | ((request: R) => readonly string[]);
  /** What the route acts on: a name, or a function of the request, asked before the body is read. */
  readonly resource?: string | ((request: R) => string | undefined);
  /** What the route does, as `resource`; method and route pattern by default. */
  readonly operation?: string | ((request: R) => string | undefined);
  /** What for. */
  readonly purpose?: string;
  /**
   * The route's code runs after the ledger has, durably, that it will: a `local` observation is sent and waited for, at most
   * `timeoutMs` (2000 by default). Without an answer the call is refused with 503, or goes on (`otherwise: 'proceed'`).
   */
  readonly confirm?: { readonly timeoutMs?: number; readonly otherwise: 'refuse' | 'proceed' };
  /** No token is required. One that comes is verified and recorded all the same. */
  readonly public?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    behalf?: RouteRules;
  }
}

/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/** Checks a route's rules once, when the route is declared. Throws TypeError naming the route. */
export function checkRouteRules<R>(rules: RouteRules<R>, route: string): void {
  const wrong = (says: string): never => {
    throw new TypeError(`route ${route}: config.behalf.${says}`);
  };
  const scopes = typeof rules.scopes === 'function' ? [] : (rules.scopes ?? []);
  for (const scope of scopes) if (!SCOPE.test(scope)) wrong(`scopes: ${scope} is no scope (RFC 6749)`);
  if (scopes.length > 256) wrong('scopes: at most 256');
  if (rules.public === true && rules.scopes !== undefined) wrong('public: a public route cannot require scopes');
  const { confirm } = rules;
  if (confirm !== undefined && !['refuse', 'proceed'].includes(confirm.otherwise))
    wrong('confirm.otherwise must be refuse or proceed');
  if (!((confirm?.timeoutMs ?? 1) >= 1 && (confirm?.timeoutMs ?? 1) <= 60_000))
    wrong('confirm.timeoutMs must be 1 to 60000');
  for (const name of ['operation', 'purpose', 'resource'] as const) {
    const value = rules[name];
    if (typeof value === 'string' && (value === '' || value.length > 512))
      wrong(`${name}: expected 1 to 512 characters`);
  }
}

/** The scopes a route's function asks for. Throws when it throws, or gives what are no scopes. */
export function askScopes<R>(ask: (request: R) => readonly string[], request: R): readonly string[] {
  const scopes = ask(request);
  if (!Array.isArray(scopes) || scopes.length > 256 || !scopes.every((scope) => SCOPE.test(scope)))
    throw new TypeError('config.behalf.scopes: the function must give at most 256 scopes (RFC 6749)');
  return scopes;
}
