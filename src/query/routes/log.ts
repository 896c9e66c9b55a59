import { parseTilePath, type TilePath, VerificationError } from '@behalf/verify';
import type { FastifyInstance } from 'fastify';
import type { LogAnswer } from '../answers.ts';
import type { QueryContext } from '../context.ts';
import { QueryProblem } from '../problem.ts';
import { LogAnswer as LogAnswerSchema, problems, raw } from '../schema/answer.ts';
import { NoParameters } from '../schema/parameter.ts';
import { selectProjected } from '../sql/chain.ts';

/** What never changes may be kept by anyone for ever: a tile of a width, a bundle of a width. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** The log as C2SP tlog-tiles has it, under /log, and who signs it. */
export function logRoutes(app: FastifyInstance, context: QueryContext): void {
  const { log, verifierKey, db, logId } = context;
  app.get(
    '/api/v1/log',
    {
      schema: {
        tags: ['log'],
        summary: 'The log: origin, verifier key, and how far it is sequenced, published and projected',
        querystring: NoParameters,
        response: { 200: LogAnswerSchema, ...problems('unavailable') },
      },
    },
    async (): Promise<LogAnswer> => {
      const { position } = await selectProjected(db, logId);
      const [{ origin, size }, checkpoint] = [await log.log(), await log.checkpoint()];
      return {
        origin,
        verifierKey,
        size: String(size),
        published: String(checkpoint?.size ?? 0n),
        projected: position,
      };
    },
  );
  app.get(
    '/log/checkpoint',
    {
      schema: {
        tags: ['log'],
        summary: 'The last signed checkpoint',
        querystring: NoParameters,
        response: {
          200: raw('text/plain', 'C2SP checkpoint, a signed note'),
          ...problems('not_published', 'unavailable'),
        },
      },
    },
    async (_request, reply) => {
      const checkpoint = await log.checkpoint();
      if (checkpoint === undefined)
        throw new QueryProblem('not_published', 'no checkpoint is signed yet; try again in a second', {
          retryAfterSeconds: 1,
        });
      return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-cache').send(checkpoint.note);
    },
  );
  app.get<{ Params: { '*': string } }>(
    '/log/tile/*',
    {
      schema: {
        tags: ['log'],
        summary: 'A tile of hashes or a bundle of entries, at its C2SP tlog-tiles path',
        querystring: NoParameters,
        response: { 200: raw('application/octet-stream', 'C2SP tlog-tiles'), ...problems('not_found', 'unavailable') },
      },
    },
    async (request, reply) => {
      const bytes = await readTilePath(`tile/${request.params['*']}`, context);
      return reply.type('application/octet-stream').header('cache-control', FOR_EVER).send(Buffer.from(bytes));
    },
  );
}

async function readTilePath(path: string, { log }: QueryContext): Promise<Uint8Array> {
  const asked = parsed(path);
  const bytes =
    asked.kind === 'tile'
      ? await log.tile(asked.level, asked.index, asked.width)
      : await log.entryBundle(asked.index, asked.width);
  if (bytes !== undefined) return bytes;
  throw new QueryProblem(
    'not_found',
    'no published checkpoint has this tile; take the widths of the last checkpoint’s size',
  );
}

function parsed(path: string): TilePath {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw new QueryProblem('not_found', `${error.message} (C2SP tlog-tiles)`);
  }
}
