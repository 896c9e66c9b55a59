import type { FastifyInstance, FastifyReply } from 'fastify';
import Type from 'typebox';
import type { Chain } from '#chains';
import type { QueryContext } from '../context.ts';
import { evidenceOf, parseDisclose } from '../evidence.ts';
import { problems, raw } from '../schema/answer.ts';
import { ChainId, EntryIndex } from '../schema/parameter.ts';
import { findChain } from './chains.ts';

const Parameters = Type.Object(
  {
    disclose: Type.Optional(
      Type.String({
        maxLength: 8192,
        description: 'whose names it opens: none (default), all, or references p_… with commas',
      }),
    ),
  },
  { additionalProperties: false },
);
type Query = Type.Static<typeof Parameters>;

const BUNDLE = raw('application/json', 'an evidence bundle, canonical JSON; check it offline: npx @behalf/verify');

/** What is handed to someone who trusts nobody here: entries, proofs, the cosigned checkpoint, disclosures, the policy. */
export function evidenceRoutes(app: FastifyInstance, context: QueryContext): void {
  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/api/v1/chains/:id/evidence',
    {
      schema: {
        tags: ['log'],
        summary: 'Evidence of the entries a chain rests on, checked offline',
        params: ChainId,
        querystring: Parameters,
        response: { 200: BUNDLE, ...problems('chain_not_found', 'several_chains', 'not_published', 'unavailable') },
      },
    },
    async (request, reply) => {
      const disclose = parseDisclose(request.query.disclose);
      const chain = await findChain(request.params.id, context);
      return send(reply, chain.id, await evidenceOf(entriesOf(chain), disclose, context));
    },
  );
  app.get<{ Params: { index: string }; Querystring: Query }>(
    '/api/v1/entries/:index/evidence',
    {
      schema: {
        tags: ['log'],
        summary: 'Evidence of one entry, checked offline',
        params: EntryIndex,
        querystring: Parameters,
        response: { 200: BUNDLE, ...problems('not_published', 'unavailable') },
      },
    },
    async (request, reply) => {
      const { index } = request.params;
      return send(reply, index, await evidenceOf([BigInt(index)], parseDisclose(request.query.disclose), context));
    },
  );
}

/** A finding may rest on an entry of before, such as an offboarding. */
const entriesOf = ({ entries, findings }: Chain): readonly bigint[] => [
  ...new Set([...entries, ...findings.flatMap(({ facts }) => facts.flatMap((fact) => fact.entries))].map(BigInt)),
];

const send = (reply: FastifyReply, name: string, evidence: string): FastifyReply =>
  reply
    .type('application/json')
    .header('content-disposition', `attachment; filename="${name}.evidence.json"`)
    .send(Buffer.from(evidence));
