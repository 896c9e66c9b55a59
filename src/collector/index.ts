/**
 * Takes OTLP over HTTP and gRPC from any sender and turns what names somebody or crosses a boundary into observations. It promises that
 * success is answered only for what is durable, that bad input is answered by the status OTLP asks for, and that no
 * secret and no claim above its grade goes further. Proven by test/collector; README.md lists what is read.
 */

export type { Account, NotStored } from './account.ts';
export { Accounting } from './account.ts';
export type { CollectorSetup } from './collector.ts';
export { buildCollector, collector } from './collector.ts';
export type { GrpcCollector } from './grpc.ts';
export { startGrpcCollector } from './grpc.ts';
export type { Metric } from './metrics.ts';
export type { CollectorOptions, Reception } from './reception.ts';
export { MAX_BODY_BYTES, openReception } from './reception.ts';
export { OWN_TELEMETRY } from './reporter.ts';
export type { SenderAccount, SenderName } from './sender-account.ts';
export { allMetrics, type SenderApiOptions, senderApi } from './sender-api.ts';
export type { Gap } from './sequence-gaps.ts';
