import type { FastifyInstance } from 'fastify';
import { readHandOvers } from '#ledger/read';
import type { HandOversAnswer } from '../answers.ts';
import type { QueryContext } from '../context.ts';
import { HandOversAnswer as HandOversAnswerSchema, problems } from '../schema/answer.ts';
import { NoParameters } from '../schema/parameter.ts';

/** How the log's key was handed over, for those who know an earlier key: they check the signatures themselves. */
export function handOverRoutes(app: FastifyInstance, { database, logId }: QueryContext): void {
  app.get(
    '/api/v1/log/hand-overs',
    {
      schema: {
        tags: ['log'],
        summary: 'The notes by which each key of the log handed it to the next, and the entries that hold them',
        querystring: NoParameters,
        response: { 200: HandOversAnswerSchema, ...problems('unavailable') },
      },
    },
    async (): Promise<HandOversAnswer> => ({
      handOvers: (await readHandOvers(database, logId)).map(({ leafIndex, note }) => ({
        leafIndex: String(leafIndex),
        note,
      })),
    }),
  );
}
