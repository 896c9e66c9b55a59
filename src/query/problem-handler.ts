import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRetryable } from '#database';
import { LedgerError } from '#ledger/read';
import { compileParameters } from './parameters.ts';
import { problemOf, QueryProblem } from './problem.ts';

/**
 * Makes a fastify instance answer as the query API does: parameters checked by their schema, every failure a problem of the
 * one table. Nothing of an unexpected error reaches the answer; `onAlarm` is told.
 */
export function installProblems(app: FastifyInstance, onAlarm: Alarm = () => undefined): void {
  app.setValidatorCompiler(compileParameters);
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.setErrorHandler((error: unknown, request, reply) => sendProblem(known(error, request, onAlarm), reply));
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
  });
}

export function sendProblem(problem: QueryProblem, reply: FastifyReply): FastifyReply {
  const body = problemOf(problem);
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', problem.retryAfterSeconds);
  return reply
    .code(body.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(body));
}

/** Told what an operator should know of: a request that failed for no fault of its own. */
export type Alarm = (error: Error) => void;

function known(error: unknown, request: FastifyRequest, onAlarm: Alarm): QueryProblem {
  if (error instanceof QueryProblem) return error;
  if (isRetryable(error) || (error instanceof LedgerError && error.retryable)) {
    return new QueryProblem('unavailable', 'the database does not answer just now; try again in a moment', {
      retryAfterSeconds: 2,
    });
  }
  const status = statusOf(error);
  if (status === 413) return new QueryProblem('too_large', 'the request is larger than this address takes');
  if (status === 404) return new QueryProblem('not_found', 'there is nothing at this address');
  if (status >= 400 && status < 500) return new QueryProblem('invalid_parameter', 'the request cannot be read');
  onAlarm(
    new Error(`query: ${request.method} ${request.routeOptions.url ?? ''} (${request.id}) failed`, { cause: error }),
  );
  // What is missing or changed in the log is no secret, and whoever verifies it is owed the place.
  if (error instanceof LedgerError && error.code === 'corrupt') return new QueryProblem('damaged', error.message);
  return new QueryProblem('internal', `the request failed; the server told its operator of ${request.id}`);
}

const statusOf = (error: unknown): number =>
  error instanceof Error && 'statusCode' in error ? ((error as FastifyError).statusCode ?? 500) : 500;
