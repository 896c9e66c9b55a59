import { randomBytes } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Ledger } from '#ledger';
import { Accounting } from './account.ts';
import { CONTENT_TYPE, type ContentType, encodeError, encodeSuccess } from './answer.ts';
import { readBody } from './body.ts';
import { SpanMemory } from './cause.ts';
import { Intake } from './intake.ts';
import { RequestError, RPC_CODE } from './request-error.ts';

export interface CollectorOptions {
  readonly ledger: Pick<Ledger, 'append'>;
  /** Largest request body after decompression, in bytes. 64 MiB unless told, as OTLP recommends. */
  readonly maxBodyBytes?: number;
  /** Most request bytes in memory at once, over all senders. Beyond it requests are answered 429. */
  readonly maxBytesInFlight?: number;
  /** Spans, records, attributes and links one request may unfold to. */
  readonly maxParts?: number;
  /** 32 secret bytes that name observations whose sender gave no id. Keep them: with others, a retry is stored twice. */
  readonly idKey?: Uint8Array;
  readonly accounting?: Accounting;
  /** Nanoseconds since the Unix epoch. */
  readonly now?: () => bigint;
}

export const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_PARTS = 1_000_000;

/**
 * OTLP/HTTP receiver (OTLP specification 1.11, "OTLP/HTTP"): POST /v1/traces and /v1/logs in protobuf and JSON, plain or
 * gzip. Success is answered only after `ledger.append` resolved; bad input is answered by its 4xx, never by 500.
 */
export const collector: FastifyPluginAsync<CollectorOptions> = async (app, options) => {
  const accounting = options.accounting ?? new Accounting();
  const maxBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const intake = new Intake({
    ledger: options.ledger,
    accounting,
    memory: new SpanMemory(),
    idKey: options.idKey ?? randomBytes(32),
    maxParts: options.maxParts ?? MAX_PARTS,
    now: options.now ?? (() => BigInt(Date.now()) * 1_000_000n),
  });
  const admission = new Admission(options.maxBytesInFlight ?? 4 * maxBytes);

  app.removeAllContentTypeParsers();
  // The body is read by the route itself: only it knows the limits after decompression.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((error, request, reply) => refuse(error, { request, reply, accounting }));
  app.setNotFoundHandler((request, reply) => refuse(notServed(request), { request, reply, accounting }));

  for (const signal of ['traces', 'logs'] as const) {
    app.post(`/v1/${signal}`, async (request, reply) => {
      const type = contentTypeOf(request);
      const release = admission.enter(request, maxBytes);
      try {
        const body = await readBody(request.raw, { encoding: request.headers['content-encoding'], maxBytes });
        const { rejected, message } = await intake.take(signal, type, body);
        return await reply.code(200).type(type).send(encodeSuccess(type, { signal, rejected, message }));
      } finally {
        release();
      }
    });
    app.route({ method: ['GET', 'PUT', 'DELETE', 'PATCH'], url: `/v1/${signal}`, handler: notAllowed });
  }
};

/** A server of its own for the collector, not yet listening. Slow senders are cut off. */
export function buildCollector(options: CollectorOptions & { readonly logger?: FastifyBaseLogger }): FastifyInstance {
  const { logger, ...rest } = options;
  const app = Fastify({
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    requestTimeout: 60_000,
    connectionTimeout: 75_000,
    forceCloseConnections: 'idle',
  });
  app.register(collector, rest);
  return app;
}

const notAllowed = (): never => {
  throw new RequestError(405, RPC_CODE.unimplemented, 'OTLP/HTTP requests are sent by POST', {
    headers: { allow: 'POST' },
  });
};

/** Metrics and profiles are declined as a receiver declines a signal it does not serve: not found, not to be retried. */
function notServed({ url }: FastifyRequest): RequestError {
  const path = url.split('?')[0] ?? '';
  const signal = /^\/v1(?:development)?\/(metrics|profiles)$/.exec(path)?.[1];
  const says =
    signal === undefined
      ? 'no such path: expected /v1/traces or /v1/logs'
      : `${signal} are not kept here: this collector takes traces and logs; stop sending it ${signal}`;
  return new RequestError(404, signal === undefined ? RPC_CODE.notFound : RPC_CODE.unimplemented, says);
}

function contentTypeOf(request: FastifyRequest): ContentType {
  const type = typeGiven(request);
  if (type !== undefined) return type;
  throw new RequestError(
    415,
    RPC_CODE.invalidArgument,
    `content-type: expected ${CONTENT_TYPE.protobuf} or ${CONTENT_TYPE.json}`,
  );
}

function typeGiven(request: FastifyRequest): ContentType | undefined {
  const given = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  return Object.values(CONTENT_TYPE).find((type) => type === given);
}

/** Bounds the bytes of requests held at once. A request counts as what it declares, or as the most it may be. */
class Admission {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  enter(request: FastifyRequest, maxBytes: number): () => void {
    const declared = Number(request.headers['content-length'] ?? Number.NaN);
    if (declared > maxBytes) {
      throw new RequestError(413, RPC_CODE.resourceExhausted, `the body is over ${maxBytes} bytes; send less at once`, {
        headers: { connection: 'close' },
      });
    }
    const isPlain = request.headers['content-encoding'] === undefined && !Number.isNaN(declared);
    const weight = isPlain ? declared : Math.min(maxBytes, 1024 * 1024);
    if (this.#held > 0 && this.#held + weight > this.#most) {
      throw new RequestError(429, RPC_CODE.resourceExhausted, 'too many requests at once; try again', {
        retryAfterSeconds: 1,
      });
    }
    this.#held += weight;
    return () => {
      this.#held -= weight;
    };
  }
}

/** Answers a request that was not taken, in its own encoding; JSON where that is not known. */
function refuse(
  error: unknown,
  { request, reply, accounting }: { request: FastifyRequest; reply: FastifyReply; accounting: Accounting },
): FastifyReply {
  const answer = asRequestError(error);
  if (answer.status >= 500) request.log.error({ err: error }, 'collector: request not taken');
  accounting.add({ requests: 1 });
  accounting.refuse(answer.status);
  const type = typeGiven(request) ?? CONTENT_TYPE.json;
  const { retryAfterSeconds, headers } = answer.details;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  return reply
    .code(answer.status)
    .headers(headers ?? {})
    .type(type)
    .send(encodeError(type, answer));
}

/** Fastify's own refusals (a malformed content type, a body too large) keep their 4xx; what is left is a fault of ours. */
function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500 && error instanceof Error) {
    return new RequestError(status, RPC_CODE.invalidArgument, error.message, { cause: error });
  }
  return new RequestError(500, RPC_CODE.internal, 'internal error', { cause: error });
}
