import type { FastifyInstance } from 'fastify';
import { isRetryable } from '#database';
import type { ReadyAnswer } from '../answers.ts';
import type { QueryContext } from '../context.ts';
import { HealthAnswer, ReadyAnswer as ReadyAnswerSchema } from '../schema/answer.ts';
import { NoParameters } from '../schema/parameter.ts';
import { selectProjected } from '../sql/chain.ts';

/** Entries the projection may be behind before a reader is sent elsewhere: some seconds of work. */
const MOST_BEHIND = 100_000n;

export function healthRoutes(app: FastifyInstance, context: QueryContext): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['health'],
        summary: 'The process answers',
        querystring: NoParameters,
        response: { 200: HealthAnswer },
      },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether answers are to be had and how fresh they are: 503 when they are not',
        querystring: NoParameters,
        response: { 200: ReadyAnswerSchema, 503: ReadyAnswerSchema },
      },
    },
    async (_request, reply) => {
      const answer = await readiness(context);
      return reply.code(answer.ready ? 200 : 503).send(answer);
    },
  );
}

async function readiness(context: QueryContext): Promise<ReadyAnswer> {
  const { projection } = context;
  const trouble = projection.trouble?.()?.message ?? null;
  const seen = await look(context);
  if (seen === undefined) {
    const size = String(projection.size());
    return {
      ready: false,
      database: 'does not answer',
      log: null,
      projection: { size, behind: null, unread: null, trouble },
    };
  }
  const behind = seen.size - seen.position;
  return {
    ready: trouble === null && behind <= MOST_BEHIND,
    database: 'answers',
    log: { size: String(seen.size), published: String(seen.published) },
    projection: {
      size: String(seen.position),
      behind: String(behind > 0n ? behind : 0n),
      unread: seen.unread,
      trouble,
    },
  };
}

async function look({ db, logId, log }: QueryContext) {
  try {
    const { position, unread } = await selectProjected(db, logId);
    const [{ size }, checkpoint] = [await log.log(), await log.checkpoint()];
    return { position: BigInt(position), unread, size, published: checkpoint?.size ?? 0n };
  } catch (error) {
    if (isRetryable(error)) return undefined;
    throw error;
  }
}
