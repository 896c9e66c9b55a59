import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import protobuf from 'protobufjs';
import type { Observation } from '#observation';
import { observationOf } from './observation-of.ts';

/** The part of opentelemetry-proto v1 that a log record uses. */
const PROTO = `syntax = "proto3";
message Request { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message Scope { string name = 1; string version = 2; }
message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2; repeated KeyValue attributes = 6;
  uint32 dropped_attributes_count = 7; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10;
  fixed64 observed_time_unix_nano = 11; string event_name = 12; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message Response { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected_log_records = 1; string error_message = 2; }`;

const { root } = protobuf.parse(PROTO, { keepCase: false });
const request = root.lookupType('Request');
const response = root.lookupType('Response');

export type Answer = { readonly status: number; readonly rejected?: number; readonly headers?: Record<string, string> };

/** A collector's OTLP/HTTP logs endpoint on loopback: keeps the bytes as they came, and answers as it is told. */
export class OtlpReceiver {
  readonly bodies: Uint8Array[] = [];
  readonly requests: { url: string; headers: Readonly<Record<string, unknown>> }[] = [];
  /** Asked for every export; success by default. */
  answer: () => Answer = () => ({ status: 200 });
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Observations in the order they came, as the collector would read them; each fits the closed schema. */
  get observations(): readonly Observation[] {
    return this.bodies.flatMap((body) => observationsIn(body));
  }

  /** Listens, on the same port after a stop. */
  async start(): Promise<void> {
    this.#server = createServer((req, res) => {
      const parts: Buffer[] = [];
      req.on('data', (part) => parts.push(part));
      req.on('end', () => {
        this.requests.push({ url: req.url ?? '', headers: req.headers });
        const { status, rejected = 0, headers = {} } = this.answer();
        if (status === 200) this.bodies.push(Buffer.concat(parts));
        const partial =
          rejected === 0 ? {} : { partialSuccess: { rejectedLogRecords: rejected, errorMessage: 'too old' } };
        res.writeHead(status, { 'content-type': 'application/x-protobuf', ...headers });
        res.end(response.encode(partial).finish());
      });
    });
    await new Promise<void>((listening) => this.#server?.listen(this.#port, '127.0.0.1', listening));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise((closed) => {
      this.#server?.close(closed);
      this.#server?.closeAllConnections();
    });
  }
}

/** A receiver that listens for the test. */
export async function otlpReceiver(t: TestContext): Promise<OtlpReceiver> {
  const receiver = new OtlpReceiver();
  await receiver.start();
  t.after(() => receiver.stop());
  return receiver;
}

type Decoded = { resourceLogs: { resource: unknown; scopeLogs: { logRecords: unknown[] }[] }[] };

function observationsIn(body: Uint8Array): Observation[] {
  const decoded = request.toObject(request.decode(body), { longs: String, arrays: true }) as Decoded;
  return decoded.resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords.map((record) => observationOf(record, resource))),
  );
}
