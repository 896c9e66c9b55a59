import type { FastifyInstance } from 'fastify';
import type { Chain } from '#chains';
import { type SealedSummary, searchable } from '#projection';
import type { ChainAnswer, ChainsAnswer } from '../answers.ts';
import { chainAsOf, sizeAsOf } from '../as-of.ts';
import { logPosition, type QueryContext } from '../context.ts';
import { formatCursor, parseCursor } from '../cursor.ts';
import { filterOf } from '../filter.ts';
import { openChain, openSummaries } from '../party-view.ts';
import { QueryProblem } from '../problem.ts';
import { ChainAnswer as ChainAnswerSchema, ChainsAnswer as ChainsAnswerSchema, problems } from '../schema/answer.ts';
import { AsOf, ChainId, ListParameters } from '../schema/parameter.ts';
import {
  type ChainBody,
  selectChainById,
  selectChainsByObservation,
  selectChainsByTrace,
  selectChainsByTransaction,
} from '../sql/chain.ts';
import { selectChains } from '../sql/list.ts';

const DEFAULT_LIMIT = 50;
const PLACE = [/^\d{1,20}$/, /^c_[0-9a-f]{32}$/];

export function chainRoutes(app: FastifyInstance, context: QueryContext): void {
  app.get<{ Querystring: ListParameters }>(
    '/api/v1/chains',
    {
      schema: {
        tags: ['chains'],
        summary: 'Chains, newest first, with their verdict and completeness',
        querystring: ListParameters,
        response: { 200: ChainsAnswerSchema, ...problems('invalid_parameter', 'unavailable') },
      },
    },
    (request) => listChains(request.query, context),
  );
  app.get<{ Params: { id: string }; Querystring: AsOf }>(
    '/api/v1/chains/:id',
    {
      schema: {
        tags: ['chains'],
        summary: 'One chain: hops, links, gaps, findings and the entries it rests on',
        params: ChainId,
        querystring: AsOf,
        response: {
          200: ChainAnswerSchema,
          ...problems('invalid_parameter', 'chain_not_found', 'several_chains', 'unavailable'),
        },
      },
    },
    (request) => showChain(request.params.id, request.query, context),
  );
}

async function listChains(parameters: ListParameters, context: QueryContext): Promise<ChainsAnswer> {
  const { db, logId, persons } = context;
  const { cursor, limit = DEFAULT_LIMIT } = parameters;
  const after = cursor === undefined ? undefined : parseCursor(cursor, PLACE);
  const filter = await filterOf(parameters, context);
  const log = await logPosition(context);
  const rows = await selectChains(db, logId, filter, { after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    chains: await openSummaries(
      shown.map(({ summary }) => JSON.parse(summary) as SealedSummary),
      persons,
    ),
    next: rows.length > limit && last !== undefined ? formatCursor(last.place) : null,
    log,
  };
}

async function showChain(id: string, { asOf }: AsOf, context: QueryContext): Promise<ChainAnswer> {
  const log = await logPosition(context);
  if (asOf === undefined) return { chain: await openChain(await findChain(id, context), context.persons), log };
  const size = await sizeAsOf(asOf, context);
  const chain = await chainAsOf(id, await chainsMeant(id, context), size, context);
  return { chain: await openChain(chain, context.persons), log: { ...log, treeSize: String(size) } };
}

/** The one chain of this id, persons sealed. Throws QueryProblem `chain_not_found` or `several_chains`. */
export async function findChain(id: string, context: QueryContext): Promise<Chain> {
  const found = await chainsMeant(id, context);
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const ids = found.map((each) => each.id).join(', ');
  throw new QueryProblem('several_chains', `this id is that of several chains: ${ids}; ask for one of them`);
}

/** Every chain of this id, at least one. Throws QueryProblem `chain_not_found`. */
async function chainsMeant(id: string, context: QueryContext): Promise<readonly Chain[]> {
  const found = await findChains(id, context);
  if (found.length > 0) return found.map(({ body }) => JSON.parse(body) as Chain);
  throw new QueryProblem(
    'chain_not_found',
    'no chain has this id as its own, its trace, its transaction or an observation',
  );
}

/** A chain that late entries gave an older name is still found by its former one: that names an observation in it. */
async function findChains(id: string, { db, logId }: QueryContext): Promise<readonly ChainBody[]> {
  if (/^c_[0-9a-f]{32}$/.test(id)) {
    const own = await selectChainById(db, logId, id);
    return own.length > 0 ? own : chainsWith(asUuid(id.slice(2)), { db, logId });
  }
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    const with_ = await chainsWith(id, { db, logId });
    if (with_.length > 0) return with_;
  }
  const traced = /^[0-9a-f]{32}$/.test(id) ? await selectChainsByTrace(db, logId, id) : [];
  return traced.length > 0 ? traced : selectChainsByTransaction(db, logId, searchable(id));
}

async function chainsWith(
  observationId: string,
  { db, logId }: Pick<QueryContext, 'db' | 'logId'>,
): Promise<readonly ChainBody[]> {
  const near = await selectChainsByObservation(db, logId, observationId);
  return near.filter(({ body, leafIndex }) => (JSON.parse(body) as Chain).entries.includes(leafIndex));
}

const asUuid = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
