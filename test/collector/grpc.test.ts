import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type CollectorOptions, openReception, startGrpcCollector } from '#collector';
import { type Collector, collectorOf, inProtobuf, type Signal, span, traces } from './harness.ts';
import { decodeMessage, type Plain } from './otlp-codec.ts';

const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const LOGS = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** A gRPC collector that listens, over the same append as collectorOf's. */
async function grpcCollector(t: TestContext, options: Partial<CollectorOptions> & { messageTimeoutMs?: number } = {}) {
  const http = collectorOf(t);
  const { messageTimeoutMs = 60_000, ...rest } = options;
  const reception = openReception({ ledger: http.ledger, accounting: http.accounting, ...rest });
  const grpc = await startGrpcCollector(reception, { host: '127.0.0.1', port: 0, messageTimeoutMs });
  t.after(() => grpc.close());
  const client = new Client(`127.0.0.1:${grpc.port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': 2, // gzip
    'grpc.enable_retries': 0,
    'grpc.max_send_message_length': -1,
  });
  t.after(() => client.close());
  const send = (path: string, body: Uint8Array) =>
    new Promise<Plain>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        Buffer.from,
        (answer: Buffer) => decodeMessage('ExportServiceResponse', answer),
        body,
        new Metadata(),
        (error, answer) => (error ? reject(error) : resolve(answer ?? {})),
      );
    });
  return { ...http, port: grpc.port, send, grpc };
}

const body = (signal: Signal = 'traces') => inProtobuf(signal, traces('payments', span(1, 2), span(2, 3)));
const fails = (code: number, says: RegExp) => (error: ServiceError) => {
  assert.deepEqual([error.code, says.test(error.details)], [code, true], `${error.code} ${error.details}`);
  return true;
};

test('gRPC takes a gzip request and makes the observations OTLP/HTTP makes of it', async (t) => {
  const { send, observations } = await grpcCollector(t, { idKey: new Uint8Array(32), now: () => 1n });
  assert.deepEqual(await send(TRACES, body()), {});
  const http: Collector = collectorOf(t, { now: () => 1n });
  assert.equal((await http.post('traces', body())).statusCode, 200);
  assert.equal(observations.length, 2);
  assert.deepEqual(observations, http.observations);
});

test('gRPC tells how many records were refused and why, and takes an empty request', async (t) => {
  const { send } = await grpcCollector(t);
  const answer = await send(
    TRACES,
    inProtobuf('traces', traces('payments', span(1, 2, { traceId: 'abcd' }), span(2, 2))),
  );
  const { rejected, errorMessage } = answer.partialSuccess as Plain;
  assert.equal(Number(rejected), 1);
  assert.match(String(errorMessage), /trace/);
  assert.deepEqual(await send(LOGS, new Uint8Array(0)), {});
});

test('gRPC declines metrics, what is no OTLP and what is too large for good', async (t) => {
  const { send } = await grpcCollector(t, { maxBodyBytes: 100_000 });
  await assert.rejects(
    send(TRACES.replace('trace.v1.Trace', 'metrics.v1.Metrics'), body()),
    fails(status.UNIMPLEMENTED, /./),
  );
  await assert.rejects(send(TRACES, Buffer.from([0x0a, 0xff])), fails(status.INVALID_ARGUMENT, /truncated/));
  const retryInfo = (error: ServiceError) => error.metadata.get('grpc-status-details-bin').length;
  await assert.rejects(send(TRACES, Buffer.alloc(200_000)), (error: ServiceError) => {
    assert.deepEqual([error.code, retryInfo(error)], [status.RESOURCE_EXHAUSTED, 0]);
    return true;
  });
});

test('what the ledger cannot store now is UNAVAILABLE with RetryInfo: the sender is to come again', async (t) => {
  const append = async () => {
    throw Object.assign(new Error('away'), { name: 'LedgerError', retryable: true, retryAfterSeconds: 7 });
  };
  const { send, accounting } = await grpcCollector(t, { ledger: { append } });
  await assert.rejects(send(TRACES, body()), (error: ServiceError) => {
    assert.equal(error.code, status.UNAVAILABLE);
    const [detail] = error.metadata.get('grpc-status-details-bin');
    const { code, details } = decodeMessage('RpcStatus', Buffer.from(detail ?? ''));
    assert.equal(code, status.UNAVAILABLE);
    const [info] = details as readonly Plain[];
    assert.match(JSON.stringify(info), /google\.rpc\.RetryInfo/);
    assert.equal(
      Buffer.from(detail ?? '')
        .subarray(-4)
        .toString('hex'),
      '0a020807',
    ); // Duration { seconds: 7 }
    return true;
  });
  assert.deepEqual(accounting.account.refusedRequests, { 503: 1 });
});

test('a message that does not come to its end is given up, and its call answered', async (t) => {
  const { port, send } = await grpcCollector(t, { messageTimeoutMs: 100 });
  const session = connect(`http://127.0.0.1:${port}`);
  const call = session.request({
    ':method': 'POST',
    ':path': TRACES,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.write(Buffer.from([0, 0, 0, 1, 0, 1, 2, 3])); // promises 256 bytes, sends three
  const code = await new Promise((resolve) => {
    call.on('response', (headers) => headers['grpc-status'] !== undefined && resolve(headers['grpc-status']));
    call.on('trailers', (headers) => resolve(headers['grpc-status']));
    call.resume();
  });
  session.destroy();
  assert.equal(Number(code), status.DEADLINE_EXCEEDED);
  assert.deepEqual(await send(TRACES, body()), {});
});

test('closing answers the call under way and takes no other', async (t) => {
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const append = async () => {
    reached.resolve();
    await held.promise;
    return [{ kind: 'sequenced', leafIndex: 0n, duplicate: false } as const];
  };
  const { send, grpc } = await grpcCollector(t, { ledger: { append } });
  const sent = send(TRACES, inProtobuf('traces', traces('payments', span(1, 2))));
  await reached.promise;
  const closed = grpc.close();
  held.resolve();
  assert.deepEqual(await sent, {});
  await closed;
  await assert.rejects(send(TRACES, body()), fails(status.UNAVAILABLE, /./));
});
