import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { PAYMENTS, PLANNER } from './parties.ts';
import { type AgentRun, runAgent } from './planner-agent.ts';
import { readOptions, readSecret, serveUntilStopped } from './service-process.ts';

// An agent as others write them: plain OpenTelemetry, set up by the standard OTEL_ variables, and nothing of Behalf.
const { issuer, payments } = readOptions(['issuer', 'payments']);
const peers: Readonly<Record<string, string>> = { [issuer]: 'provider', [payments]: PAYMENTS.name };
const undici = new UndiciInstrumentation({
  startSpanHook: ({ origin }) => (peers[origin] === undefined ? {} : { 'service.peer.name': peers[origin] }),
});
const telemetry = new NodeSDK({ serviceName: PLANNER.name, instrumentations: [undici] });
telemetry.start();

const tracer = trace.getTracer('planner');
const agent = { tracer, issuer, payments, secret: readSecret() };

const INVOICE = {
  type: 'object',
  required: ['invoice'],
  additionalProperties: false,
  properties: { invoice: { type: 'string', maxLength: 10_000 } },
};

type Run = { Body: { invoice: string } };

const app = Fastify({ bodyLimit: 65_536 });
app.post<Run>('/run', { schema: { body: INVOICE } }, (request, reply) =>
  context.with(propagation.extract(context.active(), request.headers), () => serve(request, reply)),
);

/** The server span a framework's instrumentation would make, around the agent's run. */
function serve(request: FastifyRequest<Run>, reply: FastifyReply): Promise<AgentRun | { error: string }> {
  const attributes = { 'http.request.method': 'POST', 'http.route': '/run', 'url.path': '/run', 'url.scheme': 'http' };
  return tracer.startActiveSpan('POST /run', { kind: SpanKind.SERVER, attributes }, async (span) => {
    try {
      const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
      if (token === undefined) return reply.code(401).send({ error: 'a bearer token is needed' });
      return await runAgent(agent, request.body.invoice, token);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      return reply.code(502).send({ error: error instanceof Error ? error.message : 'failed' });
    } finally {
      span.setAttribute('http.response.status_code', reply.statusCode);
      span.end();
    }
  });
}

const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
serveUntilStopped(Number(address.port), async () => {
  await app.close();
  await telemetry.shutdown();
});
