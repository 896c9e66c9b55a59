import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { currentDelegation } from '@behalf/sdk';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SamplingDecision,
  type SpanContext,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { AUDIENCE } from './token-issuer.ts';

const ended: string[] = [];
let sample = () => ({ decision: SamplingDecision.NOT_RECORD });
const sdk = new NodeSDK({
  serviceName: 'payments',
  sampler: { shouldSample: () => sample() },
  spanProcessors: [
    {
      onStart: () => {},
      onEnd: ({ name }) => void ended.push(name),
      forceFlush: async () => {},
      shutdown: async () => {},
    },
  ],
  instrumentations: [],
});
before(() => sdk.start());
after(() => sdk.shutdown());

test('with nothing sampled both sides of every call are still recorded, under the ids the SDK made', async (t) => {
  const service = await guardedService(t);
  const { app, behalf, issuer, receiver, listen } = service;
  const answered = Promise.withResolvers<string>();
  const other = createServer((req, res) => {
    answered.resolve(String(req.headers.traceparent));
    res.end();
  });
  await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  app.post('/', async () => {
    await behalf.fetch(`http://127.0.0.1:${port}/`);
    return currentDelegation()?.subject?.id;
  });
  const answer = await fetch(await listen(), {
    method: 'POST',
    headers: { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(await answer.text(), 'dana');
  await behalf.flush();
  const [call, served] = receiver.observations as readonly HopObservation[];
  assert.deepEqual(ended, [], 'no span was exported');
  assert.deepEqual([call?.side, served?.side], ['caller', 'callee']);
  assert.equal(call?.trace?.traceId, served?.trace?.traceId);
  assert.deepEqual(call?.cause, { traceId: served?.trace?.traceId, spanId: served?.trace?.spanId });
  assert.equal(await answered.promise, `00-${call?.trace?.traceId}-${call?.trace?.spanId}-00`);
  assert.equal((served?.trace?.flags ?? 0) & 1, 0, 'reported as unsampled');
});

test('an active server span of the host’s instrumentation is the hop’s span', async (t) => {
  const server: SpanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 };
  const instrumented = trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(server));
  const { app, behalf, issuer, receiver } = await guardedService(t, {
    fastify: {
      serverFactory: (handler) => createServer((req, res) => context.with(instrumented, () => handler(req, res))),
    },
  });
  app.get('/', async () => trace.getActiveSpan()?.spanContext().spanId);
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  const traceparent = `00-${'a'.repeat(32)}-${'c'.repeat(16)}-00`;
  const answer = await fetch(base, { headers: { authorization: `Bearer ${await issuer.sign()}`, traceparent } });
  assert.equal(await answer.text(), server.spanId, 'the handler runs under it');
  await behalf.flush();
  const [served] = receiver.observations as readonly HopObservation[];
  assert.deepEqual(served?.trace, {
    traceId: server.traceId,
    spanId: server.spanId,
    parentSpanId: 'c'.repeat(16),
    flags: 0,
    links: [],
  });
});

test('the caller’s own span is never taken for the callee’s', async (t) => {
  const { app, behalf, issuer, receiver } = await guardedService(t);
  app.get('/', async () => 'ok');
  const caller = trace.getTracer('test').startSpan('call', { kind: SpanKind.CLIENT });
  await context.with(trace.setSpan(ROOT_CONTEXT, caller), async () => {
    const headers: Record<string, string> = { authorization: `Bearer ${await issuer.sign()}` };
    propagation.inject(context.active(), headers);
    await app.inject({ url: '/', headers });
  });
  await behalf.flush();
  const [served] = receiver.observations as readonly HopObservation[];
  const { traceId, spanId } = caller.spanContext();
  assert.deepEqual([served?.trace?.traceId, served?.trace?.parentSpanId], [traceId, spanId]);
  assert.notEqual(served?.trace?.spanId, spanId);
});

test('code that leaves the request’s context leaves its delegation', async (t) => {
  const { app, issuer } = await guardedService(t);
  app.get('/', async () => [currentDelegation(), context.with(ROOT_CONTEXT, currentDelegation) ?? null]);
  const authorization = `Bearer ${await issuer.sign({ aud: AUDIENCE })}`;
  const [inside, outside] = (await app.inject({ url: '/', headers: { authorization } })).json();
  assert.deepEqual([inside.subject.id, outside], ['dana', null]);
});

test('a tracing SDK that throws costs the host nothing: the hop is recorded under ids of our own', async (t) => {
  const { app, behalf, issuer, receiver } = await guardedService(t);
  app.get('/', async () => 'ok');
  const works = sample;
  t.after(() => {
    sample = works;
  });
  sample = () => assert.fail('a broken sampler');
  const authorization = `Bearer ${await issuer.sign()}`;
  assert.equal((await app.inject({ url: '/', headers: { authorization } })).payload, 'ok');
  await behalf.flush();
  assert.equal(receiver.observations.length, 1);
});
