import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SpanKind } from '@opentelemetry/api';
import { Accounting, buildCollector, openReception, startGrpcCollector } from '#collector';
import type { Ledger } from '#ledger';
import { LedgerError } from '#ledger';
import type { HopObservation, Observation } from '#observation';

/** The exporters come with @opentelemetry/sdk-node; a tree that was installed otherwise may not have them here. */
const modules = await Promise.all([
  import('@opentelemetry/sdk-trace'),
  import('@opentelemetry/resources'),
  import('@opentelemetry/exporter-trace-otlp-proto'),
  import('@opentelemetry/exporter-trace-otlp-http'),
  import('@opentelemetry/exporter-trace-otlp-grpc'),
]).catch((error: NodeJS.ErrnoException) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
});
const skip = modules === undefined ? "OpenTelemetry's own exporters are not installed" : false;

const SENDERS = ['HTTP protobuf', 'HTTP JSON', 'gRPC'] as const;
type Sender = (typeof SENDERS)[number];

/** Both entrances to one collector, listening; `append` answers what it is told to. */
async function listening(t: TestContext, append: Ledger['append']) {
  const accounting = new Accounting();
  const reception = openReception({ ledger: { append }, accounting });
  const app = buildCollector({ reception });
  t.after(() => app.close());
  const http = await app.listen({ host: '127.0.0.1', port: 0 });
  const grpc = await startGrpcCollector(reception, { host: '127.0.0.1', port: 0 });
  t.after(() => grpc.close());
  return { accounting, http, grpc: `http://127.0.0.1:${grpc.port}` };
}

/** Records one server span with its program's own SDK, and has it exported as that program would. */
async function record(sender: Sender, addresses: { readonly http: string; readonly grpc: string }): Promise<void> {
  if (modules === undefined) throw new Error('no exporters');
  const [{ BatchSpanProcessor, TracerProvider }, { resourceFromAttributes }, proto, json, grpc] = modules;
  const url = `${addresses.http}/v1/traces`;
  const exporter =
    sender === 'gRPC'
      ? new grpc.OTLPTraceExporter({ url: addresses.grpc })
      : sender === 'HTTP JSON'
        ? new json.OTLPTraceExporter({ url })
        : new proto.OTLPTraceExporter({ url });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'payments' }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const span = provider.getTracer('test').startSpan('POST /pay', { kind: SpanKind.SERVER });
  span.setAttribute('user.id', 'dana').end();
  await provider.forceFlush();
  await provider.shutdown();
}

const storedBy = (observations: Observation[]): Ledger['append'] => {
  return async (given) => {
    observations.push(...given);
    return given.map((_, i) => ({ kind: 'sequenced', leafIndex: BigInt(i), duplicate: false }));
  };
};

for (const sender of ['HTTP protobuf', 'HTTP JSON'] as const) {
  test(`OpenTelemetry JS over ${sender}: a 503 is followed by the same span, and success by nothing`, {
    skip,
  }, async (t) => {
    const observations: Observation[] = [];
    const tried: HopObservation[] = [];
    const store = storedBy(observations);
    const { accounting, ...addresses } = await listening(t, async (given) => {
      tried.push(...given.filter((each) => each.kind === 'hop'));
      if (tried.length === 1) throw new LedgerError('overloaded', 'wait');
      return store(given);
    });
    await record(sender, addresses);
    assert.equal(tried.length, 2);
    assert.equal(tried[0]?.id, tried[1]?.id, 'the retry carries the same observation id');
    const [hop] = observations.filter((each) => each.kind === 'hop');
    assert.deepEqual([hop?.reporter.service, hop?.side, hop?.subject?.id], ['payments', 'callee', 'dana']);
    assert.deepEqual(accounting.account.refusedRequests, { 503: 1 });
    assert.equal(accounting.account.sequenced, 1);
  });
}

test('OpenTelemetry JS over gRPC: it does not try again, and tells its program that nothing was taken', {
  skip,
}, async (t) => {
  const observations: Observation[] = [];
  const store = storedBy(observations);
  const { accounting, ...addresses } = await listening(t, async (given) => {
    if (accounting.account.requests === 0) throw new LedgerError('overloaded', 'wait');
    return store(given);
  });
  await assert.rejects(record('gRPC', addresses), (errors: unknown) => /14 UNAVAILABLE/.test(String(errors)));
  assert.equal(observations.length, 0);
  await record('gRPC', addresses);
  const [hop] = observations.filter((each) => each.kind === 'hop');
  assert.deepEqual([hop?.reporter.service, hop?.side, hop?.subject?.id], ['payments', 'callee', 'dana']);
});

for (const sender of SENDERS) {
  test(`OpenTelemetry JS over ${sender}: what was refused for good is not sent again`, { skip }, async (t) => {
    const { accounting, ...addresses } = await listening(t, async (given) =>
      given.map(() => ({ kind: 'refused', reason: 'of no use' })),
    );
    await record(sender, addresses);
    assert.deepEqual([accounting.account.requests, accounting.account.rejected], [1, 1]);
  });
}
