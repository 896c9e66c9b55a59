import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastifyPlugin } from 'fastify-plugin';
import { activeContext, runInContext } from './active-context.ts';
import { type GuardOptions, parseGuardOptions } from './guard-rules.ts';
import { NodeRequest } from './inbound-request.ts';
import type { Recorder } from './recorder.ts';
import { type RefusalCode, refusal } from './refusal.ts';
import { checkRouteRules, type RouteRules } from './route-rules.ts';
import type { Settings } from './settings.ts';
import { Visit } from './visit.ts';

/** Where a request's visit is kept: on the request itself, as a WeakMap costs the garbage collector. */
const VISIT = Symbol('behalf visit');

declare module 'fastify' {
  interface FastifyRequest {
    [VISIT]?: Visit<FastifyRequest>;
  }
}

const NO_RULES: RouteRules = {};

/**
 * The guard as a Fastify plugin. Register it before the plugins that hold the routes: Fastify hands hooks down to what is
 * registered later. Every request of every route needs a token unless the route says `public`.
 */
export const guardPlugin = (settings: Settings, recorder: Recorder) =>
  fastifyPlugin(
    async (app: FastifyInstance, options: GuardOptions) => {
      const rules = parseGuardOptions(options, settings);
      app.addHook('onRoute', ({ config, method, url }) => {
        if (config?.behalf !== undefined) checkRouteRules(config.behalf, `${[method].flat().join(',')} ${url}`);
      });
      app.addHook('onRequest', (request, reply, done) => {
        const { config, url } = request.routeOptions;
        const route = config.behalf ?? NO_RULES;
        const visit = new Visit({
          request: new NodeRequest(request.raw, url),
          native: request,
          route,
          rules,
          recorder,
        });
        request[VISIT] = visit;
        // A response that is broken off, by the client or the handler, is closed without an onResponse.
        reply.raw.once('close', () => visit.finish({ sent: reply.raw.writableFinished, status: reply.statusCode }));
        const go = (code: RefusalCode | undefined): void => {
          if (code === undefined) runInContext(visit.contextFrom(activeContext()), done);
          else refuse(reply, visit, code);
        };
        const { admission } = visit;
        if (admission instanceof Promise) admission.then(go, done);
        else go(admission);
      });
      // Node emits the end of a body outside the context that onRequest opened.
      app.addHook('preValidation', (request, _reply, done) => {
        const visit = request[VISIT];
        if (visit === undefined || !hasBody(request)) done();
        else runInContext(visit.contextFrom(activeContext()), done);
      });
      app.addHook('preHandler', (request, reply, done) => {
        const visit = request[VISIT];
        const admission = visit?.admitBody();
        const go = (code: RefusalCode | undefined): void => {
          if (visit === undefined || code === undefined) done();
          else refuse(reply, visit, code);
        };
        if (admission instanceof Promise) admission.then(go, done);
        else go(admission);
      });
      if (recorder.spools) {
        app.addHook('onSend', (request, _reply, payload, done) => {
          const written = request[VISIT]?.answering();
          if (written === undefined) done(null, payload);
          else void written.then(() => done(null, payload));
        });
      }
      app.addHook('onResponse', (request, reply, done) => {
        request[VISIT]?.finish({ sent: true, status: reply.statusCode });
        done();
      });
    },
    { fastify: '5.x', name: '@behalf/sdk' },
  );

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

function refuse(reply: FastifyReply, visit: Visit<FastifyRequest>, code: RefusalCode): void {
  const { status, headers, body } = refusal(code, visit.requiredScopes);
  void reply.code(status).headers(headers).send(body);
}
