import {
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import { tooMany } from './admission.ts';
import { CONTENT_TYPE, encodeSuccess, type Signal } from './answer.ts';
import { grpcStatusOf } from './grpc-status.ts';
import type { Reception } from './reception.ts';
import { RequestError } from './request-error.ts';

/** How long a sender may take from its headers to the end of its message. */
const MESSAGE_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 10_000;
const MAX_CALLS_PER_CONNECTION = 32;

/** An OTLP/gRPC receiver that listens. */
export interface GrpcCollector {
  readonly port: number;
  /** Takes no new calls and answers those under way; what takes longer than ten seconds is broken off unanswered. */
  close(): Promise<void>;
}

/**
 * Listens for OTLP/gRPC (OTLP specification 1.11, "OTLP/gRPC"): unary Export of traces and logs, plain or gzip, with the
 * mapping and the promises of OTLP/HTTP. Other services are UNIMPLEMENTED. `port` 0 is any free one.
 */
export async function startGrpcCollector(
  reception: Reception,
  { host, port, messageTimeoutMs = MESSAGE_TIMEOUT_MS }: { host: string; port: number; messageTimeoutMs?: number },
): Promise<GrpcCollector> {
  const server = new Server({
    'grpc.max_receive_message_length': reception.maxBytes, // holds after decompression too
    'grpc.max_concurrent_streams': MAX_CALLS_PER_CONNECTION,
    'grpc.keepalive_time_ms': 60_000,
    interceptors: [turnAwayEarly(reception, messageTimeoutMs)],
  });
  server.addService({ Export: methodOf('trace.v1.TraceService') }, { Export: handlerOf('traces', reception) });
  server.addService({ Export: methodOf('logs.v1.LogsService') }, { Export: handlerOf('logs', reception) });
  const bound = await bind(server, `${host.includes(':') ? `[${host}]` : host}:${port}`);
  return { port: bound, close: () => shutDown(server) };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Messages pass as bytes: the collector has its own decoder. */
const methodOf = (service: string): MethodDefinition<Uint8Array, Uint8Array> => ({
  path: `/opentelemetry.proto.collector.${service}/Export`,
  requestStream: false,
  responseStream: false,
  requestSerialize: asBuffer,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: asBuffer,
  responseDeserialize: (bytes) => bytes,
});

const handlerOf =
  (signal: Signal, reception: Reception): handleUnaryCall<Uint8Array, Uint8Array> =>
  ({ request }, answer) => {
    exportOf(signal, request, reception).then(
      (response) => answer(null, response),
      (error) => answer(refusalOf(error, reception)),
    );
  };

async function exportOf(signal: Signal, body: Uint8Array, { admission, intake }: Reception): Promise<Uint8Array> {
  const room = admission.enter(body.length);
  try {
    const taken = await intake.take(signal, CONTENT_TYPE.protobuf, body);
    return encodeSuccess(CONTENT_TYPE.protobuf, { signal, ...taken });
  } finally {
    room.leave();
  }
}

function refusalOf(error: unknown, { accounting, alarm }: Reception) {
  const answered = error instanceof RequestError ? error.status : 500;
  if (answered >= 500) alarm.raise(answered, error instanceof RequestError ? error.cause : error);
  accounting.add({ requests: 1 });
  accounting.refuse(answered);
  return grpcStatusOf(error);
}

/** Answers before a message is read when there is no room for any, and when a message does not come to its end. */
const turnAwayEarly =
  (reception: Reception, timeoutMs: number): ServerInterceptor =>
  (_method, call) => {
    let late: NodeJS.Timeout | undefined;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, go) => {
            if (reception.admission.isFull) return call.sendStatus(refusalOf(tooMany(), reception));
            late = setTimeout(() => call.sendStatus(refusalOf(tooLate(timeoutMs), reception)), timeoutMs);
            go(metadata);
          },
          onReceiveHalfClose: (go) => {
            clearTimeout(late);
            go();
          },
          onCancel: () => clearTimeout(late),
        }),
      sendStatus: (says, next) => {
        clearTimeout(late);
        next(says);
      },
    });
  };

const tooLate = (timeoutMs: number): RequestError =>
  new RequestError(
    408,
    status.DEADLINE_EXCEEDED,
    `the message did not come whole within ${timeoutMs} ms; send it again`,
  );

const bind = (server: Server, address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });

async function shutDown(server: Server): Promise<void> {
  const late = setTimeout(() => server.forceShutdown(), CLOSE_TIMEOUT_MS);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(late);
}
