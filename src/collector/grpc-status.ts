import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { ProtobufWriter } from './protobuf-writer.ts';
import { RequestError } from './request-error.ts';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/**
 * What a gRPC sender is told of a request that was not taken (OTLP specification, "OTLP/gRPC Response"). Whoever is to come
 * again gets UNAVAILABLE with RetryInfo, which old senders understand too; anything else is for good.
 */
export function grpcStatusOf(error: unknown): StatusObject {
  const metadata = new Metadata();
  if (!(error instanceof RequestError)) return { code: status.INTERNAL, details: 'internal error', metadata };
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds === undefined) return { code: error.rpcCode, details: error.message, metadata };
  metadata.set('grpc-status-details-bin', Buffer.from(retryStatus(error.message, retryAfterSeconds)));
  return { code: status.UNAVAILABLE, details: error.message, metadata };
}

/** google.rpc.Status that holds a RetryInfo: { retry_delay: Duration { seconds } }. */
function retryStatus(message: string, seconds: number): Uint8Array {
  const delay = new ProtobufWriter().message(1, new ProtobufWriter().int(1, seconds)).finish();
  const detail = new ProtobufWriter().string(1, RETRY_INFO).bytes(2, delay);
  return new ProtobufWriter().int(1, status.UNAVAILABLE).string(2, message).message(3, detail).finish();
}
