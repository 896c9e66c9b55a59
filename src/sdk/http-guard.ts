import type { IncomingMessage, ServerResponse } from 'node:http';
import { activeContext, runInContext } from './active-context.ts';
import { type GuardOptions, parseGuardOptions } from './guard-rules.ts';
import { holdAnswer } from './held-answer.ts';
import { NodeRequest } from './inbound-request.ts';
import type { Recorder } from './recorder.ts';
import { type RefusalCode, refusal } from './refusal.ts';
import { checkRouteRules, type RouteRules } from './route-rules.ts';
import type { Settings } from './settings.ts';
import { Visit } from './visit.ts';

/** What one route asks of its callers; `scopes` as a function is asked before a body is read, unless a parser ran before. */
export type HttpRules<R extends IncomingMessage = IncomingMessage> = RouteRules<R> & {
  /** The route's pattern, which names the operation; Express tells its own. */
  readonly route?: string;
};

/** Middleware of Express, Connect and their like; with Node's own server `next` is the handler. */
export type HttpMiddleware<R extends IncomingMessage = IncomingMessage> = (
  request: R,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** Makes middleware for a route. Throws TypeError on wrong rules. */
export type HttpGuard = <R extends IncomingMessage = IncomingMessage>(rules?: HttpRules<R>) => HttpMiddleware<R>;

/**
 * The guard for Node's http server and Express: `const guard = behalf.httpGuard({ issuer, audience })`, then
 * `app.post('/pay', guard({ scopes: ['invoice.pay'] }), handler)`. Guards what it stands before, and nothing else.
 */
export function httpGuard(options: GuardOptions, settings: Settings, recorder: Recorder): HttpGuard {
  const rules = parseGuardOptions(options, settings);
  return <R extends IncomingMessage>(route: HttpRules<R> = {}) => {
    checkRouteRules(route, route.route ?? '(a guarded handler)');
    return (request: R, response: ServerResponse, next: (error?: unknown) => void) => {
      const pattern = route.route ?? expressRoute(request);
      const visit = new Visit({ request: new NodeRequest(request, pattern), native: request, route, rules, recorder });
      response.once('close', () => visit.finish({ sent: response.writableFinished, status: response.statusCode }));
      if (recorder.spools) recordBeforeAnswer(response, visit, recorder);
      const go = (code: RefusalCode | undefined): void => {
        if (code === undefined) runInContext(visit.contextFrom(activeContext()), next);
        else refuse(response, visit, code);
      };
      const { admission } = visit;
      if (admission instanceof Promise) admission.then((code) => code ?? visit.admitBody()).then(go, next);
      else {
        const late = admission ?? visit.admitBody();
        if (late instanceof Promise) late.then(go, next);
        else go(late);
      }
    };
  };
}

/** The pattern of the route that Express found; its path holds no more than the program wrote. */
function expressRoute(request: IncomingMessage): string | undefined {
  const route: unknown = 'route' in request ? request.route : undefined;
  const path: unknown = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined;
  const base = 'baseUrl' in request && typeof request.baseUrl === 'string' ? request.baseUrl : '';
  return typeof path === 'string' ? base + path : undefined;
}

/**
 * The observation is written before the first byte of the answer leaves. With `fsync: 'each'` the answer waits for the disk;
 * else the system's cache has it when `writeHead` passes, asked for or not.
 */
function recordBeforeAnswer<R>(response: ServerResponse, visit: Visit<R>, recorder: Recorder): void {
  if (recorder.forces) {
    holdAnswer(response, () => visit.answering());
    return;
  }
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    void visit.answering();
    recorder.write();
    return writeHead(...args);
  };
}

function refuse<R>(response: ServerResponse, visit: Visit<R>, code: RefusalCode): void {
  const { status, headers, body } = refusal(code, visit.requiredScopes);
  response.writeHead(status, headers).end(body);
}
