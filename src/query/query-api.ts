import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { contextOf, type QueryOptions } from './context.ts';
import { QueryProblem } from './problem.ts';
import { installProblems, sendProblem } from './problem-handler.ts';
import { chainRoutes } from './routes/chains.ts';
import { entryRoutes } from './routes/entries.ts';
import { evidenceRoutes } from './routes/evidence.ts';
import { handOverRoutes } from './routes/hand-overs.ts';
import { healthRoutes } from './routes/health.ts';
import { hopRoutes } from './routes/hops.ts';
import { logRoutes } from './routes/log.ts';
import { partyRoutes } from './routes/parties.ts';
import { SHARED } from './schema/answer.ts';

/**
 * The read API as a fastify plugin: /api/v1, /log, /healthz, /readyz and /openapi.json. The document describes every route of
 * the server that has a tag, also those that other plugins add, so it registers on the instance itself and not below it.
 */
export const queryApi: FastifyPluginAsync<QueryOptions> = Object.assign(
  async (app: FastifyInstance, options: QueryOptions) => {
    const context = contextOf(options);
    await app.register(swagger, { openapi: DOCUMENT, hideUntagged: true, refResolver: { buildLocalReference } });
    for (const schema of SHARED) app.addSchema(schema);
    await app.register(async (scope) => {
      installProblems(scope, options.onAlarm);
      chainRoutes(scope, context);
      hopRoutes(scope, context);
      entryRoutes(scope, context);
      evidenceRoutes(scope, context);
      logRoutes(scope, context);
      handOverRoutes(scope, context);
      partyRoutes(scope, context);
      healthRoutes(scope, context);
      scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
      scope.get('/api/*', { schema: { hide: true } }, (_request, reply) => sendProblem(nothingHere, reply));
    });
  },
  { [Symbol.for('skip-override')]: true },
);

const nothingHere = new QueryProblem(
  'not_found',
  'there is nothing at this address; /openapi.json lists what there is',
);

const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'Behalf query API',
    version: '1',
    description: 'Who did what, on whose behalf, under which authority, through which services.',
  },
  tags: [
    { name: 'chains', description: 'delegation chains, their hops and findings' },
    { name: 'parties', description: 'who acts, from use, and how far each reaches' },
    { name: 'log', description: 'entries, proofs and the transparency log (C2SP tlog-tiles)' },
    { name: 'health', description: 'of this server' },
  ],
};

const buildLocalReference = (
  schema: { readonly $id?: unknown },
  _base: unknown,
  _fragment: unknown,
  at: number,
): string => (typeof schema.$id === 'string' ? schema.$id : `schema-${at}`);
