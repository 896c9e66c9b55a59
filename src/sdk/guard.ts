import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastifyPlugin } from 'fastify-plugin';
import { activeContext, runInContext } from './active-context.ts';
import { isAllowedUrl, issuerKeys } from './issuer-keys.ts';
import type { Recorder } from './recorder.ts';
import { refusal } from './refusal.ts';
import { checkRouteRules } from './route-rules.ts';
import type { Settings } from './settings.ts';
import { ASYMMETRIC_ALGORITHMS, type TokenRules } from './verify-token.ts';
import { type GuardMode, Visit } from './visit.ts';

export interface GuardOptions {
  /** Whose tokens are accepted; compared exactly with `iss`. */
  readonly issuer: string;
  /** Who this service is: the token's `aud` must hold one of these. */
  readonly audience: string | readonly string[];
  /** Where the issuer's keys are; found through the issuer's metadata by default. */
  readonly jwksUri?: string;
  /** `enforce` refuses (the default); `observe` refuses nothing and records what it would have refused. */
  readonly mode?: GuardMode;
  /** A part of the asymmetric JWS algorithms, all of which are accepted by default. HMAC and `none` cannot be. */
  readonly algorithms?: readonly string[];
  /** How far clocks may differ; 5 by default, at most 300. */
  readonly clockToleranceSeconds?: number;
  /** Deepest `act` accepted; 16 by default, at most 64. */
  readonly maxActors?: number;
  /** Accepts plain http for the issuer and its keys beyond this machine. */
  readonly allowHttp?: boolean;
}

/** Where a request's visit is kept until its answer has left. */
const visits = new WeakMap<FastifyRequest, Visit>();

/**
 * The guard as a Fastify plugin. Register it before the plugins that hold the routes: Fastify hands hooks down to what is
 * registered later. Every request of every route needs a token unless the route says `public`.
 */
export const guardPlugin = (settings: Settings, recorder: Recorder) =>
  fastifyPlugin(
    async (app: FastifyInstance, options: GuardOptions) => {
      const mode = options.mode ?? 'enforce';
      const rules = parseGuardOptions(options, settings);
      app.addHook('onRoute', ({ config, method, url }) => {
        if (config?.behalf !== undefined) checkRouteRules(config.behalf, `${[method].flat().join(',')} ${url}`);
      });
      app.addHook('onRequest', (request, reply, done) => {
        const visit = new Visit({ request, rules, mode, recorder });
        visits.set(request, visit);
        // A response that is broken off, by the client or the handler, is closed without an onResponse.
        reply.raw.once('close', () => visit.finish({ sent: reply.raw.writableFinished, status: reply.statusCode }));
        visit.admit().then((code) => {
          if (code === undefined) runInContext(visit.contextFrom(activeContext()), done);
          else refuse(reply, visit, code);
        }, done);
      });
      // Node emits the end of a body outside the context that onRequest opened.
      app.addHook('preValidation', (request, _reply, done) => {
        const visit = visits.get(request);
        if (visit === undefined) done();
        else runInContext(visit.contextFrom(activeContext()), done);
      });
      app.addHook('preHandler', (request, reply, done) => {
        const visit = visits.get(request);
        const code = visit?.admitBody();
        if (visit === undefined || code === undefined) done();
        else refuse(reply, visit, code);
      });
      if (recorder.spools) {
        app.addHook('onSend', (request, _reply, payload, done) => {
          const written = visits.get(request)?.answering();
          if (written === undefined) done(null, payload);
          else void written.then(() => done(null, payload));
        });
      }
      app.addHook('onResponse', (request, reply, done) => {
        visits.get(request)?.finish({ sent: true, status: reply.statusCode });
        done();
      });
    },
    { fastify: '5.x', name: '@behalf/sdk' },
  );

function refuse(reply: FastifyReply, visit: Visit, code: Parameters<typeof refusal>[0]): void {
  const { status, headers, body } = refusal(code, visit.requiredScopes);
  void reply.code(status).headers(headers).send(body);
}

/** Throws TypeError naming the option: a guard that is set up wrongly must not start. */
function parseGuardOptions(o: GuardOptions, settings: Settings): TokenRules {
  const wrong = (says: string): never => {
    throw new TypeError(`behalf.guard: ${says}`);
  };
  const allowHttp = o.allowHttp === true;
  const audience = [o.audience].flat();
  const algorithms = o.algorithms ?? ASYMMETRIC_ALGORITHMS;
  const clockToleranceSeconds = o.clockToleranceSeconds ?? 5;
  const maxActors = o.maxActors ?? 16;
  if (typeof o.issuer !== 'string' || o.issuer === '') wrong('issuer is missing; give the iss of the tokens to accept');
  if (audience.length === 0 || audience.some((each) => typeof each !== 'string' || each === '')) {
    wrong('audience is missing; give the aud that tokens for this service carry');
  }
  const place = o.jwksUri ?? o.issuer;
  if (!isAllowedUrl(place, allowHttp)) {
    wrong(
      `${o.jwksUri === undefined ? 'issuer' : 'jwksUri'} must be an https URL (http beyond this machine needs allowHttp)`,
    );
  }
  for (const algorithm of algorithms) {
    if (!ASYMMETRIC_ALGORITHMS.some((known) => known === algorithm)) {
      wrong(`algorithms: ${algorithm} is not one of ${ASYMMETRIC_ALGORITHMS.join(', ')}`);
    }
  }
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 300)) wrong('clockToleranceSeconds must be 0 to 300');
  if (!(Number.isInteger(maxActors) && maxActors >= 1 && maxActors <= 64)) wrong('maxActors must be 1 to 64');
  if (!['enforce', 'observe', undefined].includes(o.mode)) wrong('mode must be enforce or observe');
  return {
    keys: issuerKeys({ issuer: o.issuer, jwksUri: o.jwksUri, allowHttp }),
    issuer: o.issuer,
    audience,
    algorithms,
    clockToleranceSeconds,
    maxActors,
    assume: settings.assume,
    by: settings.service,
  };
}
