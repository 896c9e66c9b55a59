import type { FastifyInstance } from 'fastify';
import type { KnownParty, PartiesAnswer, SharedCredential } from '../answers.ts';
import { blastRadius } from '../blast-radius.ts';
import { logPosition, type QueryContext } from '../context.ts';
import { formatCursor, parseCursor } from '../cursor.ts';
import { parseMoment } from '../moment.ts';
import { partyKeysOf } from '../party-filter.ts';
import { problems } from '../schema/answer.ts';
import { BlastRadiusParameters, OriginKey, PartiesParameters } from '../schema/parameter.ts';
import { BlastRadiusAnswer, PartiesAnswer as PartiesAnswerSchema } from '../schema/reach.ts';
import {
  type FactRow,
  type PartyRow,
  type SharingRow,
  selectFacts,
  selectParties,
  selectSharing,
} from '../sql/parties.ts';

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
  const sharing = Map.groupBy(
    await selectSharing(
      db,
      logId,
      shown.map(({ key }) => key),
    ),
    ({ key }) => key,
  );
  const last = shown.at(-1);
  return {
    parties: shown.map((row) => knownParty(row, facts.get(row.key) ?? [], sharing.get(row.key) ?? [])),
    next: rows.length > limit && last !== undefined ? formatCursor([last.key]) : null,
    log,
  };
}

function knownParty(row: PartyRow, facts: readonly FactRow[], sharing: readonly SharingRow[]): KnownParty {
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
    credentials: of('credential'),
    keys: of('key'),
    sharedCredentials: sharedBy(row.key, sharing),
    revokedAt: revokedAt(of('revoked'), of('restored')),
  };
}

function sharedBy(key: string, sharing: readonly SharingRow[]): readonly SharedCredential[] {
  return [...Map.groupBy(sharing, ({ digest }) => digest)].map(([digest, rows]) => ({
    digest,
    parties: [...new Set([key, ...rows.map(({ party }) => party)])].toSorted(),
    workloads: [...new Set(rows.flatMap(({ workload }) => workload ?? []))].toSorted(),
  }));
}

/** The later statement holds. Both are 20 digits of unix nanoseconds. */
function revokedAt(revoked: readonly string[], restored: readonly string[]): string | null {
  const last = revoked.toSorted().at(-1);
  const back = restored.toSorted().at(-1);
  return last === undefined || (back !== undefined && back >= last) ? null : String(BigInt(last));
}
