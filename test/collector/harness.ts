import type { TestContext } from 'node:test';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { Accounting, buildCollector, type CollectorOptions } from '#collector';
import type { Ledger } from '#ledger';
import type { HopObservation, Observation } from '#observation';
import { decodeMessage, encodeMessage, type Plain } from './otlp-codec.ts';

export type Signal = 'traces' | 'logs';
export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

export interface Collector {
  readonly app: FastifyInstance;
  readonly accounting: Accounting;
  /** What it appends to. */
  readonly ledger: Pick<Ledger, 'append'>;
  /** Everything handed to append so far, in order. */
  readonly observations: Observation[];
  hops(): readonly HopObservation[];
  post(signal: Signal, body: Uint8Array | string, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  /** Sends a request object in OTLP/JSON and fails unless it is taken whole. */
  take(signal: Signal, request: Plain): Promise<readonly HopObservation[]>;
}

/** A collector over an append that keeps what it is given, as the ledger's contract says: one answer each, in order. */
export function collectorOf(t: TestContext, options: Partial<CollectorOptions> = {}): Collector {
  const observations: Observation[] = [];
  const append: Ledger['append'] = async (given) => {
    const from = observations.length;
    observations.push(...given);
    return given.map((_, i) => ({ kind: 'sequenced', leafIndex: BigInt(from + i), duplicate: false }));
  };
  const accounting = new Accounting();
  const app = buildCollector({ ledger: { append }, accounting, idKey: new Uint8Array(32), ...options });
  t.after(() => app.close());
  const hops = () => observations.filter((each) => each.kind === 'hop');
  const post: Collector['post'] = async (signal, body, headers = {}) =>
    await app.inject({
      method: 'POST',
      url: `/v1/${signal}`,
      headers: { 'content-type': typeof body === 'string' ? JSON_TYPE : PROTOBUF, ...headers },
      payload: Buffer.from(body),
    });
  return {
    app,
    accounting,
    ledger: { append },
    observations,
    hops,
    post,
    async take(signal, request) {
      const before = observations.length;
      const answer = await post(signal, JSON.stringify(request));
      if (answer.statusCode !== 200 || answer.body !== '{}') throw new Error(`${answer.statusCode} ${answer.body}`);
      return observations.slice(before).filter((each) => each.kind === 'hop');
    },
  };
}

export const attribute = (key: string, value: unknown): Plain => ({ key, value: anyValue(value) });

/** A JavaScript value as AnyValue in OTLP/JSON. */
export function anyValue(value: unknown): Plain {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'object' && value !== null) return { kvlistValue: { values: attributes(value) } };
  throw new TypeError(`anyValue: ${typeof value}`);
}

export const attributes = (values: object): readonly Plain[] =>
  Object.entries(values).map(([key, value]) => attribute(key, value));

export const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
export const START = 1_793_439_700_000_000_000n;

/** A span in OTLP/JSON; `id` is any number, made a span id. */
export const span = (id: number, kind: number, more: Plain & { readonly with?: object } = {}): Plain => {
  const { with: values, ...rest } = more;
  return {
    traceId: TRACE_ID,
    spanId: spanId(id),
    name: `span ${id}`,
    kind,
    startTimeUnixNano: String(START + BigInt(id)),
    endTimeUnixNano: String(START + BigInt(id) + 1_000n),
    attributes: attributes(values ?? {}),
    ...rest,
  };
};
export const spanId = (id: number): string => id.toString(16).padStart(16, '0');

/** An ExportTraceServiceRequest of one service. */
export const traces = (service: string | undefined, ...spans: readonly Plain[]): Plain => ({
  resourceSpans: [
    {
      resource: { attributes: service === undefined ? [] : [attribute('service.name', service)] },
      scopeSpans: [{ scope: { name: 'test' }, spans }],
    },
  ],
});

/** An ExportLogsServiceRequest of one service. */
export const logs = (service: string, ...logRecords: readonly Plain[]): Plain => ({
  resourceLogs: [
    {
      resource: { attributes: [attribute('service.name', service)] },
      scopeLogs: [{ scope: { name: 'test' }, logRecords }],
    },
  ],
});

/** What an error answer says, in either encoding. */
export function statusOf(answer: LightMyRequestResponse): { readonly message: string; readonly details: number } {
  if (answer.headers['content-type'] === JSON_TYPE) {
    const { message, details } = answer.json();
    return { message, details: details?.length ?? 0 };
  }
  const { message, details } = decodeMessage('RpcStatus', answer.rawPayload);
  return { message: String(message ?? ''), details: Array.isArray(details) ? details.length : 0 };
}

/** Rejected count and message of a 200, in either encoding. */
export function partialOf(answer: LightMyRequestResponse): { readonly rejected: number; readonly message: string } {
  const { partialSuccess } =
    answer.headers['content-type'] === JSON_TYPE
      ? answer.json()
      : decodeMessage('ExportServiceResponse', answer.rawPayload);
  const partial = (partialSuccess ?? {}) as Plain;
  const rejected = partial.rejected ?? partial.rejectedSpans ?? partial.rejectedLogRecords ?? 0;
  return { rejected: Number(rejected), message: String(partial.errorMessage ?? '') };
}

/** The same request in binary protobuf: hex ids become bytes. */
export const inProtobuf = (signal: Signal, request: Plain): Uint8Array =>
  encodeMessage(
    signal === 'traces' ? 'ExportTraceServiceRequest' : 'ExportLogsServiceRequest',
    JSON.parse(JSON.stringify(request), (key, value) =>
      /^(trace|span|parentSpan)Id$/.test(key) ? Buffer.from(value, 'hex').toString('base64') : value,
    ),
  );
