import type { FastifyInstance } from 'fastify';
import type { QueryContext } from '../context.ts';
import { QueryProblem } from '../problem.ts';
import { problems, raw } from '../schema/answer.ts';
import { EntryIndex, NoParameters } from '../schema/parameter.ts';

type ByIndex = { Params: { index: string } };

export function entryRoutes(app: FastifyInstance, { log }: QueryContext): void {
  app.get<ByIndex>(
    '/api/v1/entries/:index',
    {
      schema: {
        tags: ['log'],
        summary: 'The exact bytes of an entry',
        params: EntryIndex,
        querystring: NoParameters,
        response: {
          200: raw('application/json', 'canonical JSON (RFC 8785), persons sealed; hash it as it is'),
          ...problems('entry_not_found', 'unavailable'),
        },
      },
    },
    async (request, reply) => {
      const index = BigInt(request.params.index);
      const { size } = await log.log();
      const bytes = await log.entry(index);
      if (bytes === undefined) throw noEntry(index, size);
      return reply
        .type('application/json')
        .header('cache-control', 'private, max-age=31536000, immutable')
        .send(Buffer.from(bytes));
    },
  );
  app.get<ByIndex>(
    '/api/v1/entries/:index/proof',
    {
      schema: {
        tags: ['log'],
        summary: 'Proof that an entry is in the log, checked without trust in this server',
        params: EntryIndex,
        querystring: NoParameters,
        response: {
          200: raw('text/plain', 'C2SP tlog-proof: index, inclusion proof and signed checkpoint'),
          ...problems('not_published', 'unavailable'),
        },
      },
    },
    async (request, reply) => {
      const index = BigInt(request.params.index);
      const [{ size }, checkpoint] = [await log.log(), await log.checkpoint()];
      if (index >= size) throw noEntry(index, size);
      const proof = await log.prove(index);
      if (proof === undefined) {
        throw new QueryProblem(
          'not_published',
          `entry ${index} is stored and not yet under a signed checkpoint (last: ${checkpoint?.size ?? 0n}); try again in a second`,
          { retryAfterSeconds: 1 },
        );
      }
      return reply.type('text/plain; charset=utf-8').send(proof);
    },
  );
}

const noEntry = (index: bigint, size: bigint): QueryProblem =>
  new QueryProblem('entry_not_found', `there is no entry ${index}; the log has ${size}, counted from 0`);
