import type { FastifyPluginAsync } from 'fastify';
import type { Accounting } from './account.ts';
import { collectorMetrics, formatMetrics, type Metric } from './metrics.ts';

export interface SenderApiOptions {
  /** Nothing where no collector runs. */
  readonly accounting?: Accounting;
  /** Further numbers, asked for each time. */
  readonly measure?: () => Promise<readonly Metric[]>;
}

/** `GET /api/v1/senders`: what became of what each sender sent. `GET /metrics`: the same summed up, for Prometheus. */
export const senderApi: FastifyPluginAsync<SenderApiOptions> = async (app, options) => {
  app.get(
    '/api/v1/senders',
    { schema: { tags: ['health'], summary: 'What became of what each sender sent, since this server started' } },
    async (_request, reply) =>
      reply
        .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
        .type('application/json')
        .send(JSON.stringify({ senders: options.accounting?.senders ?? [] }, decimal)),
  );
  app.get('/metrics', { schema: { hide: true } as object }, async (_request, reply) => {
    return reply
      .header('cache-control', 'no-store')
      .type('text/plain; version=0.0.4; charset=utf-8')
      .send(formatMetrics(await allMetrics(options)));
  });
};

/** What `/metrics` shows. */
export async function allMetrics({ accounting, measure }: SenderApiOptions): Promise<Metric[]> {
  const own = accounting === undefined ? [] : collectorMetrics(accounting.account, accounting.senders);
  return [...own, ...((await measure?.()) ?? [])];
}

/** 64-bit numbers are strings, as everywhere in the API. */
const decimal = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
