import type { FastifyInstance } from 'fastify';
import type { Finding, Hop } from '#chains';
import type { EntryParty } from '#observation';
import type { SealedSummary } from '#projection';
import type { FindingInChain, FindingsAnswer, HopsAnswer } from '../answers.ts';
import { logPosition, type QueryContext } from '../context.ts';
import { formatCursor, parseCursor } from '../cursor.ts';
import { filterOf, periodOf } from '../filter.ts';
import { openParties, partiesOfHop, showFinding, showHop } from '../party-view.ts';
import { FindingsAnswer as FindingsAnswerSchema, HopsAnswer as HopsAnswerSchema, problems } from '../schema/answer.ts';
import { FindingParameters, ListParameters } from '../schema/parameter.ts';
import { selectFindings, selectHops, selectMentioning } from '../sql/list.ts';

const DEFAULT_LIMIT = 50;
const HOP_PLACE = [/^\d{1,20}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];
const FINDING_PLACE = [/^\d{1,20}$/, /^c_[0-9a-f]{32}$/, /^\d{1,9}$/];

export function hopRoutes(app: FastifyInstance, context: QueryContext): void {
  app.get<{ Querystring: ListParameters }>(
    '/api/v1/hops',
    {
      schema: {
        tags: ['chains'],
        summary: 'Hops, newest first, each with the chain it is in',
        querystring: ListParameters,
        response: { 200: HopsAnswerSchema, ...problems('invalid_parameter', 'unavailable') },
      },
    },
    (request) => listHops(request.query, context),
  );
  app.get<{ Querystring: FindingParameters }>(
    '/api/v1/findings',
    {
      schema: {
        tags: ['chains'],
        summary: 'Findings, of the newest chains first, with the facts they rest on',
        querystring: FindingParameters,
        response: { 200: FindingsAnswerSchema, ...problems('invalid_parameter', 'unavailable') },
      },
    },
    (request) => listFindings(request.query, context),
  );
}

async function listHops(parameters: ListParameters, context: QueryContext): Promise<HopsAnswer> {
  const { cursor, limit = DEFAULT_LIMIT } = parameters;
  const after = cursor === undefined ? undefined : parseCursor(cursor, HOP_PLACE);
  const filter = await filterOf(parameters, context);
  const log = await logPosition(context);
  const rows = await selectHops(context.db, context.logId, filter, { after, limit: limit + 1 });
  const shown = rows.slice(0, limit).map(({ chain, body }) => ({ chain, hop: JSON.parse(body) as Hop }));
  const opened = await openParties(
    context.persons,
    shown.flatMap(({ hop }) => partiesOfHop(hop)),
  );
  return {
    hops: shown.map(({ chain, hop }) => ({ chain, hop: showHop(hop, opened) })),
    next: nextOf(rows, limit),
    log,
  };
}

async function listFindings(parameters: FindingParameters, context: QueryContext): Promise<FindingsAnswer> {
  const { cursor, limit = DEFAULT_LIMIT, finding, severity } = parameters;
  const after = cursor === undefined ? undefined : parseCursor(cursor, FINDING_PLACE);
  const log = await logPosition(context);
  const filter = { finding, severity, ...periodOf(parameters) };
  const rows = await selectFindings(context.db, context.logId, filter, { after, limit: limit + 1 });
  const findings = rows
    .slice(0, limit)
    .map(({ chain, time, body }) => ({ chain, time, finding: JSON.parse(body) as Finding }));
  const opened = await openParties(context.persons, await mentionedIn(findings, context));
  return {
    findings: findings.map((each) => ({ ...each, finding: showFinding(each.finding, opened) })),
    next: nextOf(rows, limit),
    log,
  };
}

/** Everyone whose reference a finding may hold. One that it takes from further up the chain stays a reference. */
async function mentionedIn(
  findings: readonly FindingInChain[],
  { db, logId }: QueryContext,
): Promise<readonly EntryParty[]> {
  const chains = [...new Set(findings.map(({ chain }) => chain))];
  const hops = [...new Set(findings.flatMap(({ finding }) => finding.hop ?? []))];
  const found = await selectMentioning(db, logId, chains, hops);
  return [
    ...found.hops.flatMap((body) => partiesOfHop(JSON.parse(body) as Hop)),
    ...found.summaries.flatMap((text) => {
      const { subject, actors } = JSON.parse(text) as SealedSummary;
      return subject === null ? actors : [subject, ...actors];
    }),
  ];
}

function nextOf(rows: readonly { readonly place: readonly string[] }[], limit: number): string | null {
  const last = rows[limit - 1];
  return rows.length > limit && last !== undefined ? formatCursor(last.place) : null;
}
