import type { FastifyInstance } from 'fastify';
import type { Metric } from '#collector';
import { type Database, isRetryable } from '#database';
import type { LogReader } from '#ledger/read';

/** `/healthz` and `/readyz` of a server without the query API, which has its own. */
export function healthRoutes(
  app: FastifyInstance,
  { database, trouble }: { readonly database: Database; readonly trouble: () => Error | undefined },
): void {
  app.get('/healthz', { schema: { hide: true } as object }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } as object }, async (_request, reply) => {
    const answers = await databaseAnswers(database);
    const why = trouble()?.message ?? null;
    const ready = answers && why === null;
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, database: answers ? 'answers' : 'does not answer', trouble: why });
  });
}

async function databaseAnswers(database: Database): Promise<boolean> {
  try {
    await database.pool('reader').query('select 1');
    return true;
  } catch (error) {
    if (isRetryable(error)) return false;
    throw error;
  }
}

/** What `/metrics` tells of the process and the log beside the collector's account. */
export async function serverMetrics(log: LogReader, projected: (() => bigint) | undefined): Promise<Metric[]> {
  const size = await log.log().then(
    ({ size }) => size,
    () => undefined, // told by behalf_database_up
  );
  const gauge = (name: string, says: string, value: number | bigint): Metric => ({
    name,
    says,
    kind: 'gauge',
    values: [[{}, value]],
  });
  return [
    gauge('behalf_database_up', 'Whether the database answers with the log', size === undefined ? 0 : 1),
    ...(size === undefined ? [] : [gauge('behalf_log_size', 'Entries sequenced', size)]),
    ...(projected === undefined
      ? []
      : [gauge('behalf_projection_size', 'Entries that chains take account of', projected())]),
    gauge('process_resident_memory_bytes', 'Resident memory of this process', process.memoryUsage.rss()),
  ];
}
