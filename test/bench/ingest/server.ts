/*
 * What is measured, a process of its own: the collector before the ledger, with or without the projection behind it, or
 * the plain server that inserts span by span. Its one argument is an Order in JSON; it answers its port.
 */
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { buildCollector } from '#collector';
import { connectDatabase } from '#database';
import { openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { startProjectionThread } from '#projection';

export interface ServerOrder {
  readonly kind: 'collector' | 'projected' | 'plain';
  readonly url: string;
  readonly keyFolder: string;
  readonly waitingEntries?: number;
  readonly maxBytesInFlight?: number;
}
export interface ServerSays {
  readonly port: number;
}
/** Asked by any message: what it holds and how far it is. */
export interface ServerState {
  readonly size: string;
  readonly projected: string;
  readonly rssMiB: number;
  readonly mostRssMiB: number;
}

const order = JSON.parse(process.argv[2] ?? '') as ServerOrder; // from ingest.ts only
const database = connectDatabase({ url: order.url, poolSize: 16 });
const { app, projected, close } = order.kind === 'plain' ? plainServer() : await behalfServer();
await app.listen({ port: 0, host: '127.0.0.1' });
const address = app.server.address();
process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 } satisfies ServerSays);

process.on('message', async (says: 'state' | 'stop') => {
  if (says === 'stop') {
    await app.close();
    await close();
    await database.close();
    return process.disconnect();
  }
  const { size } = order.kind === 'plain' ? { size: 0n } : await openLogReader({ database, logId: 1 }).log();
  const most = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  process.send?.({
    size: String(size),
    projected: String(projected()),
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    mostRssMiB: Number(most ?? 0) / 1024,
  } satisfies ServerState);
});

async function behalfServer() {
  const onAlarm = (error: unknown) => process.stderr.write(`alarm: ${String(error)}\n`);
  const waiting = { entries: order.waitingEntries ?? 16_384, bytes: 64 * 2 ** 20 }; // as src/cli/server.ts
  const ledger = await openLedger({ database, keyFolder: order.keyFolder, onAlarm, waiting });
  const projection =
    order.kind === 'projected' ? startProjectionThread({ url: order.url, logId: 1, onAlarm }) : undefined;
  const given = order.maxBytesInFlight === undefined ? {} : { maxBytesInFlight: order.maxBytesInFlight };
  return {
    app: buildCollector({ ledger, idKey: new Uint8Array(32), onAlarm, ...given }),
    projected: () => projection?.size() ?? 0n,
    close: async () => {
      await ledger.close();
      await projection?.close();
    },
  };
}

/** What one writes first: parse JSON, one insert for each span, one transaction for each request. */
function plainServer() {
  const app = Fastify({ bodyLimit: 64 * 2 ** 20 });
  const pool = database.pool('owner');
  app.post('/v1/traces', async (request) => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      for (const { resource, scopeSpans } of (request.body as Posted).resourceSpans) {
        for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
          await client.query(
            'insert into bench_span (trace_id, span_id, parent_span_id, name, kind, start_ns, attributes, resource) values ($1, $2, $3, $4, $5, $6, $7, $8)',
            [
              span.traceId,
              span.spanId,
              span.parentSpanId,
              span.name,
              span.kind,
              span.startTimeUnixNano,
              JSON.stringify(span.attributes),
              JSON.stringify(resource.attributes),
            ],
          );
        }
      }
      await client.query('commit');
    } finally {
      client.release();
    }
    return {};
  });
  return { app, projected: () => 0n, close: async () => {} };
}

interface Posted {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: unknown };
    readonly scopeSpans: readonly { readonly spans: readonly Readonly<Record<string, unknown>>[] }[];
  }[];
}
