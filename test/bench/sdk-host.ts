/*
 * The host that test/bench/sdk.ts measures: one trivial Fastify route under OpenTelemetry, or under the same with the guard
 * and the recorder, as built and published. Arguments: plain | behalf, issuer, jwksUri, audience, collectorUrl, spool folder or
 * `memory`, fsync.
 */
import { context, SpanKind, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import Fastify from 'fastify';

const [kind, issuer = '', jwksUri = '', audience = '', collectorUrl = '', folder = '', fsync] = process.argv.slice(2);
process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collectorUrl;
process.env.OTEL_METRICS_EXPORTER = 'none';
process.env.OTEL_LOGS_EXPORTER = 'none';
new NodeSDK({ serviceName: 'bench', instrumentations: [] }).start();

const app = Fastify();
const tracer = trace.getTracer('bench');
// What an HTTP instrumentation does for each request: a server span under the caller's, ended with the answer.
app.addHook('onRequest', (request, reply, done) => {
  const span = tracer.startSpan(`${request.method} ${request.routeOptions.url}`, {
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': request.method, 'http.route': request.routeOptions.url ?? '' },
  });
  reply.raw.once('finish', () => {
    span.setAttribute('http.response.status_code', reply.statusCode);
    span.end();
  });
  context.with(trace.setSpan(context.active(), span), done);
});
let flush: (() => Promise<{ lost: number }>) | undefined;
if (kind === 'behalf') {
  const { startBehalf } = await import('@behalf/sdk'); // a host without it does not pay for its modules
  const behalf = startBehalf({
    service: 'bench',
    collectorUrl,
    ...(folder !== 'memory' && { spool: { folder, fsync: fsync as 'each' | 'interval' } }),
  });
  flush = () => behalf.flush({ timeoutMs: 1 });
  await app.register(behalf.guard, { issuer, jwksUri, audience });
}
app.get('/pay', { config: { behalf: { scopes: ['invoice.pay'] } } }, async () => ({ paid: true }));
const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
process.on('message', async () => {
  const { lost } = (await flush?.()) ?? { lost: 0 };
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  process.send?.({ rss, heapUsed, cpuMicros: user + system, lost });
});
process.on('SIGTERM', () => process.exit(0));
process.send?.({ port: Number(port) });
