import { ProtobufWriter } from './protobuf-writer.ts';
import type { RequestError } from './request-error.ts';

/** The two encodings of OTLP/HTTP. An answer has the encoding of its request. */
export const CONTENT_TYPE = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;
export type ContentType = (typeof CONTENT_TYPE)[keyof typeof CONTENT_TYPE];

export type Signal = 'traces' | 'logs';
const REJECTED_FIELD = { traces: 'rejectedSpans', logs: 'rejectedLogRecords' } as const;

/**
 * The body of a 200: Export<Signal>ServiceResponse. `partial_success` is set only when something was rejected or there is
 * something to say (OTLP specification, "Partial Success").
 */
export function encodeSuccess(
  type: ContentType,
  { signal, rejected, message }: { signal: Signal; rejected: number; message: string },
): Uint8Array {
  const isFull = rejected === 0 && message === '';
  if (type === CONTENT_TYPE.json) {
    return json(
      isFull ? {} : { partialSuccess: { [REJECTED_FIELD[signal]]: String(rejected), errorMessage: message } },
    );
  }
  const response = new ProtobufWriter();
  if (!isFull) response.message(1, new ProtobufWriter().int(1, rejected).string(2, message));
  return response.finish();
}

/** The body of any other status: google.rpc.Status, with google.rpc.BadRequest when a field is to blame. */
export function encodeError(
  type: ContentType,
  error: Pick<RequestError, 'rpcCode' | 'message' | 'details'>,
): Uint8Array {
  const { field } = error.details;
  if (type === CONTENT_TYPE.json) {
    const violation = { '@type': BAD_REQUEST, fieldViolations: [{ field, description: error.message }] };
    return json({
      code: error.rpcCode,
      message: error.message,
      ...(field === undefined ? {} : { details: [violation] }),
    });
  }
  const status = new ProtobufWriter().int(1, error.rpcCode).string(2, error.message);
  if (field !== undefined) {
    const violation = new ProtobufWriter().string(1, field).string(2, error.message);
    const detail = new ProtobufWriter().message(1, violation).finish();
    status.message(3, new ProtobufWriter().string(1, BAD_REQUEST).bytes(2, detail));
  }
  return status.finish();
}

const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
