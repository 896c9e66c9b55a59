import { context, metrics, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** In seconds (OpenTelemetry HTTP metrics, http.server.request.duration). */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * A span and a duration for every request of a server: method, route and status, never path, query, address or body. What
 * a request does is under its span. A sender's own trace is not continued: this is the server's telemetry, not theirs.
 */
export function observeRequests(app: FastifyInstance): void {
  const tracer = trace.getTracer('behalf');
  const duration = metrics.getMeter('behalf').createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Duration of HTTP server requests',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    const span = tracer.startSpan(route === undefined ? request.method : `${request.method} ${route}`, {
      kind: SpanKind.SERVER,
      root: true,
      attributes: attributesOf(request),
    });
    spans.set(request, span);
    context.with(trace.setSpan(context.active(), span), done);
  });
  app.addHook('onResponse', async (request, reply) => {
    const span = spans.get(request);
    const status = { 'http.response.status_code': reply.statusCode };
    duration.record(reply.elapsedTime / 1000, { ...attributesOf(request), ...status });
    span?.setAttributes(status);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  });
  app.addHook('onRequestAbort', async (request) => {
    spans.get(request)?.setStatus({ code: SpanStatusCode.ERROR, message: 'the client went away' }).end();
    spans.delete(request);
  });
}

const attributesOf = ({ method, routeOptions: { url }, protocol }: FastifyRequest) => ({
  'http.request.method': method,
  'url.scheme': protocol,
  ...(url === undefined ? {} : { 'http.route': url }),
});
