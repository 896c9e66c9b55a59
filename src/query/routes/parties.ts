import type { FastifyInstance } from 'fastify';
import type { KnownParty, PartiesAnswer } from '../answers.ts';
import { blastRadius } from '../blast-radius.ts';
import { logPosition, type QueryContext } from '../context.ts';
import { formatCursor, parseCursor } from '../cursor.ts';
import { parseMoment } from '../moment.ts';
import { partyKeysOf } from '../party-filter.ts';
import { problems } from '../schema/answer.ts';
import { BlastRadiusParameters, OriginKey, PartiesParameters } from '../schema/parameter.ts';
import { BlastRadiusAnswer, PartiesAnswer as PartiesAnswerSchema } from '../schema/reach.ts';
import { type FactRow, type PartyRow, selectFacts, selectParties } from '../sql/parties.ts';

const DEFAULT_LIMIT = 50;
/** Most facts of one kind shown of a party. */
const MAX_FACTS = 50;

export function partyRoutes(app: FastifyInstance, context: QueryContext): void {
  app.get<{ Querystring: PartiesParameters }>(
    '/api/v1/parties',
    {
      schema: {
        tags: ['parties'],
        summary: 'Agents, services and devices, from their use: for whom, with which scopes, from where, when last',
        querystring: PartiesParameters,
        response: { 200: PartiesAnswerSchema, ...problems('invalid_parameter', 'unavailable') },
      },
    },
    (request) => listParties(request.query, context),
  );
  app.get<{ Params: OriginKey; Querystring: BlastRadiusParameters }>(
    '/api/v1/parties/:key/blast-radius',
    {
      schema: {
        tags: ['parties'],
        summary: 'What a party, token, service or resource reached and could have reached, or what led to it',
        params: OriginKey,
        querystring: BlastRadiusParameters,
        response: { 200: BlastRadiusAnswer, ...problems('invalid_parameter', 'unavailable') },
      },
    },
    (request) => blastRadius(request.params.key, request.query, context),
  );
}

async function listParties(given: PartiesParameters, context: QueryContext): Promise<PartiesAnswer> {
  const { cursor, limit = DEFAULT_LIMIT, type } = given;
  const [after] = cursor === undefined ? [] : parseCursor(cursor, [/^.{1,5000}$/s]);
  const keys = given.party === undefined ? undefined : await partyKeysOf(given.party, context);
  const silentSince = given.silentSince === undefined ? undefined : parseMoment(given.silentSince, 'silentSince');
  const log = await logPosition(context);
  const { db, logId } = context;
  const rows = await selectParties(db, logId, { keys, type, silentSince, after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const facts = Map.groupBy(
    await selectFacts(
      db,
      logId,
      shown.map(({ key }) => key),
      MAX_FACTS,
    ),
    ({ key }) => key,
  );
  const last = shown.at(-1);
  return {
    parties: shown.map((row) => knownParty(row, facts.get(row.key) ?? [])),
    next: rows.length > limit && last !== undefined ? formatCursor([last.key]) : null,
    log,
  };
}

function knownParty(row: PartyRow, facts: readonly FactRow[]): KnownParty {
  const of = (kind: FactRow['kind']): readonly string[] =>
    facts.filter((fact) => fact.kind === kind).map(({ value }) => value);
  const [held, used] = [of('scope_held'), of('scope_used')];
  return {
    ...row,
    onBehalfOf: of('on_behalf_of'),
    services: of('service'),
    targets: of('target'),
    hosts: of('host'),
    tools: of('tool'),
    scopesHeld: held,
    scopesUsed: used,
    scopesUnused: held.filter((scope) => !used.includes(scope)),
  };
}
