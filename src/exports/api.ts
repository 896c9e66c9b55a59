import { Readable } from 'node:stream';
import type { FastifyPluginAsync } from 'fastify';
import Type from 'typebox';
import type { Database } from '#database';
import type { LogReader } from '#ledger/read';
import { type Alarm, installProblems, MOMENT_PATTERN, type PersonOpener, parseMoment, periodOf } from '#query';
import { EXPORT_FORMATS, type ExportFormat } from './hop-line.ts';
import { exportHops } from './hops.ts';

export interface ExportApiOptions {
  readonly database: Database;
  readonly log: LogReader;
  readonly persons: PersonOpener;
  readonly logId?: number;
  readonly onAlarm?: Alarm;
}

const MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

const moment = (description: string) => Type.String({ pattern: MOMENT_PATTERN, description });
const Parameters = Type.Object(
  {
    from: moment('the first moment, RFC 3339 such as 2026-11-01T00:00:00Z or unix nanoseconds'),
    to: moment('the moment before which it ends, RFC 3339 or unix nanoseconds'),
    format: Type.Optional(Type.Enum([...EXPORT_FORMATS], { description: 'ndjson or csv, ndjson when left out' })),
  },
  { additionalProperties: false },
);

/** `GET /api/v1/hops/export?from&to&format`: the hops of a period, streamed at the reader's pace. */
export const exportApi: FastifyPluginAsync<ExportApiOptions> = async (
  app,
  { database, log, persons, logId = 1, onAlarm },
) => {
  installProblems(app, onAlarm);
  app.get<{ Querystring: Type.Static<typeof Parameters> }>(
    '/api/v1/hops/export',
    {
      schema: {
        tags: ['chains'],
        summary: 'The hops of a period, streamed',
        querystring: Parameters,
      },
    },
    async (request, reply) => {
      const { format = 'ndjson' } = request.query;
      const period = { from: parseMoment(request.query.from, 'from'), to: parseMoment(request.query.to, 'to') };
      periodOf(period);
      const pieces = exportHops({ database, persons, logId, format, ...period });
      const { origin } = await log.log();
      // The first piece is read before the answer begins: a database that is away is an answer of 503, not a broken stream.
      const first = await pieces.next();
      return reply
        .type(MEDIA_TYPES[format])
        .header('content-disposition', `attachment; filename="hops.${format}"`)
        .header('behalf-log', encodeURI(origin))
        .send(Readable.from(resume(first, pieces)));
    },
  );
};

async function* resume(first: IteratorResult<string, void>, rest: AsyncIterable<string>): AsyncGenerator<string> {
  if (first.done !== true) yield first.value;
  yield* rest;
}
