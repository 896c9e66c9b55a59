import { activeContext, runInContext } from './active-context.ts';
import { type GuardOptions, parseGuardOptions } from './guard-rules.ts';
import { FetchRequest } from './inbound-request.ts';
import type { Recorder } from './recorder.ts';
import { type RefusalCode, refusal } from './refusal.ts';
import { checkRouteRules, type RouteRules } from './route-rules.ts';
import type { Settings } from './settings.ts';
import { Visit } from './visit.ts';

/** What one route asks of its callers. */
export type FetchRules = RouteRules<Request> & {
  /** The route's pattern, which names the operation. */
  readonly route?: string;
};

/** Answers a guarded request: with what `next` gives, or with the refusal. `remoteAddress`: of the connection, if it is known. */
export type FetchMiddleware = (
  request: Request,
  next: () => Response | Promise<Response>,
  o?: { readonly remoteAddress?: string },
) => Promise<Response>;

/** Makes middleware for a route. Throws TypeError on wrong rules. */
export type FetchGuard = (rules?: FetchRules) => FetchMiddleware;

/**
 * The guard for handlers of the Fetch standard (Hono, Deno, Workers): with Hono
 * `app.post('/pay', (c, next) => guard({ scopes: ['invoice.pay'] })(c.req.raw, async () => { await next(); return c.res; }))`.
 * An answer counts as sent when the handler gives it: what becomes of it after that is not told here.
 */
export function fetchGuard(options: GuardOptions, settings: Settings, recorder: Recorder): FetchGuard {
  const rules = parseGuardOptions(options, settings);
  return (route = {}) => {
    checkRouteRules(route, route.route ?? '(a guarded handler)');
    return async (request, next, { remoteAddress } = {}) => {
      const seen = new FetchRequest(request, { route: route.route, remoteAddress });
      const visit = new Visit({ request: seen, native: request, route, rules, recorder });
      const refused = (await visit.admission) ?? (await visit.admitBody());
      try {
        const response =
          refused === undefined
            ? await runInContext(visit.contextFrom(activeContext()), next)
            : answerTo(refused, visit.requiredScopes);
        visit.finish({ sent: true, status: response.status });
        await recorder.durable();
        return response;
      } catch (error) {
        visit.finish({ sent: false, status: 0 });
        throw error;
      }
    };
  };
}

function answerTo(code: RefusalCode, scopes: readonly string[]): Response {
  const { status, headers, body } = refusal(code, scopes);
  return new Response(body, { status, headers });
}
