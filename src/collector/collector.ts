import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import type { Ledger } from '#ledger';
import { Accounting } from './account.ts';
import { Admission } from './admission.ts';
import { Alarm, type OnAlarm } from './alarm.ts';
import { encodeSuccess } from './answer.ts';
import { declaredBytes, readBody } from './body.ts';
import { SpanMemory } from './cause.ts';
import { Intake } from './intake.ts';
import { contentTypeOf, notAllowed, notServed, refuse } from './refusal.ts';

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
  /** Told why requests were answered 5xx; nothing of their content. */
  readonly onAlarm?: OnAlarm;
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
  const alarm = new Alarm(options.onAlarm ?? (() => undefined));
  const maxBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const intake = new Intake({
    ledger: options.ledger,
    accounting,
    memory: new SpanMemory(),
    idKey: idKeyOf(options.idKey),
    maxParts: options.maxParts ?? MAX_PARTS,
    now: options.now ?? (() => BigInt(Date.now()) * 1_000_000n),
  });
  const admission = new Admission(options.maxBytesInFlight ?? 4 * maxBytes);

  app.removeAllContentTypeParsers();
  // The body is read by the route itself: only it knows the limits after decompression.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((error, request, reply) => refuse(error, { request, reply, accounting, alarm }));
  app.setNotFoundHandler((request, reply) => refuse(notServed(request), { request, reply, accounting, alarm }));

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

function idKeyOf(given: Uint8Array = randomBytes(32)): Uint8Array {
  if (given.length === 32) return given;
  throw new TypeError(`collector: idKey has ${given.length} bytes, expected 32`);
}
