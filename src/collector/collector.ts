import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { encodeSuccess } from './answer.ts';
import { declaredBytes, readBody } from './body.ts';
import { type CollectorOptions, openReception, type Reception } from './reception.ts';
import { contentTypeOf, notAllowed, notServed, refuse } from './refusal.ts';
import { RequestError } from './request-error.ts';

/**
 * A request that is turned away is left unread for a moment: a sender that does not wait would otherwise have this server
 * read bodies to no end, at the cost of those it took in.
 */
const TURNED_AWAY_AFTER_MS = 250;

/** Options, or a reception that other entrances share. */
export type CollectorSetup = CollectorOptions | { readonly reception: Reception };

/**
 * OTLP/HTTP receiver (OTLP specification 1.11, "OTLP/HTTP"): POST /v1/traces and /v1/logs in protobuf and JSON, plain or
 * gzip. Success is answered only after `ledger.append` resolved; bad input is answered by its 4xx, never by 500.
 */
export const collector: FastifyPluginAsync<CollectorSetup> = async (app, setup) => {
  const { intake, admission, accounting, alarm, maxBytes } =
    'reception' in setup ? setup.reception : openReception(setup);

  app.removeAllContentTypeParsers();
  // The body is read by the route itself: only it knows the limits after decompression.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler(async (error, request, reply) => {
    if (error instanceof RequestError && error.status === 429) await sleep(TURNED_AWAY_AFTER_MS);
    return refuse(error, { request, reply, accounting, alarm });
  });
  app.setNotFoundHandler((request, reply) => refuse(notServed(request), { request, reply, accounting, alarm }));
  app.addHook('onSend', packAnswer);
  closeAfterAnswers(app);

  for (const signal of ['traces', 'logs'] as const) {
    app.post(`/v1/${signal}`, async (request, reply) => {
      const type = contentTypeOf(request);
      const declared = declaredBytes(request.headers, maxBytes);
      const room = admission.enter(declared);
      try {
        const encoding = request.headers['content-encoding'];
        const body = await readBody(request.raw, { encoding, maxBytes, onBytes: room.take });
        const { rejected, message } = await intake.take(signal, type, body);
        return await reply.code(200).type(type).send(encodeSuccess(type, { signal, rejected, message }));
      } finally {
        room.leave();
      }
    });
    app.route({ method: ['GET', 'PUT', 'DELETE', 'PATCH'], url: `/v1/${signal}`, handler: notAllowed });
  }
};

/** While the server closes, an answer ends its connection: kept alive, it would hold up the end for a minute. */
function closeAfterAnswers(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close');
  });
}

/** Below this an answer is not worth packing: gzip adds 20 bytes of its own. */
const PACKED_FROM_BYTES = 256;
const pack = promisify(gzip);

/** Packs a longer answer for a sender that says it takes gzip (OTLP specification, "OTLP/HTTP Response"). */
async function packAnswer(request: FastifyRequest, reply: FastifyReply, answer: unknown): Promise<unknown> {
  const takesGzip = /(?:^|[,\s])gzip(?:$|[,;\s])(?!\s*q=0(?:\.0*)?(?:$|[,\s]))/i.test(
    request.headers['accept-encoding'] ?? '',
  );
  if (!takesGzip || !(answer instanceof Uint8Array) || answer.length < PACKED_FROM_BYTES) return answer;
  reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding').removeHeader('content-length');
  return pack(answer);
}

/** How long a sender may take for one request, from its first byte to its last. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * A server of its own for the collector, not yet listening. A sender that takes longer than `requestTimeoutMs` for its
 * headers or its body is answered 408 and cut off.
 */
export function buildCollector(
  setup: CollectorSetup,
  { requestTimeoutMs = REQUEST_TIMEOUT_MS }: { readonly requestTimeoutMs?: number } = {},
): FastifyInstance {
  const app = Fastify({
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs + 15_000,
    forceCloseConnections: 'idle',
    // Node forgets the request's limit while the one for its headers is longer.
    http: {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 4),
    },
  });
  app.register(collector, setup);
  return app;
}
