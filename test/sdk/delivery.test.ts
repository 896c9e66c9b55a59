import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type BehalfOptions, startBehalf } from '@behalf/sdk';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { guardedService } from './guarded-service.ts';
import { OtlpReceiver, otlpReceiver } from './otlp-receiver.ts';

const sender = (t: TestContext, receiver: OtlpReceiver, options: Partial<BehalfOptions> = {}) => {
  const behalf = startBehalf({ service: 'payments', collectorUrl: receiver.url, ...options });
  t.after(() => behalf.shutdown({ timeoutMs: 1 }));
  const report = (count: number) => {
    for (let index = 0; index < count; index += 1) behalf.recordExchange({ tokenIn: `token-${index}` });
  };
  return { behalf, report };
};

const sequencesOf = ({ observations }: OtlpReceiver) => observations.map(({ reporter }) => reporter.sequence);

test('exports go to the collector’s logs endpoint in protobuf with the sender’s headers and nothing of the environment', async (t) => {
  process.env.OTEL_EXPORTER_OTLP_HEADERS = 'x-vendor-key=secret';
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:1';
  const receiver = await otlpReceiver(t);
  const { behalf, report } = sender(t, receiver, {
    collectorUrl: `${receiver.url}/ingest/`,
    headers: { authorization: 'Bearer ingest-key' },
  });
  report(1);
  await behalf.flush();
  const [{ url, headers } = assert.fail('nothing came')] = receiver.requests;
  assert.deepEqual(
    [url, headers['content-type'], headers.authorization, headers['x-vendor-key']],
    ['/ingest/v1/logs', 'application/x-protobuf', 'Bearer ingest-key', undefined],
  );
});

test('observations wait for a collector that is down, and arrive once and in order when it is back', async (t) => {
  const receiver = new OtlpReceiver();
  await receiver.start();
  await receiver.stop();
  const { behalf, report } = sender(t, receiver);
  report(3);
  assert.deepEqual(await behalf.flush({ timeoutMs: 50 }), { delivered: 0, lost: 0, pending: 3 });
  await receiver.start();
  t.after(() => receiver.stop());
  assert.deepEqual(await behalf.flush(), { delivered: 3, lost: 0, pending: 0 });
  assert.deepEqual(sequencesOf(receiver), ['1', '2', '3']);
});

test('a retryable answer is tried again; what the collector refuses or rejects is counted as lost', async (t) => {
  const receiver = await otlpReceiver(t);
  const { behalf, report } = sender(t, receiver);
  const answers = [{ status: 503, headers: { 'retry-after': '0' } }, { status: 200 }];
  receiver.answer = () => answers.shift() ?? { status: 200 };
  report(2);
  assert.deepEqual(await behalf.flush(), { delivered: 2, lost: 0, pending: 0 });
  receiver.answer = () => ({ status: 400 });
  report(1);
  assert.deepEqual(await behalf.flush(), { delivered: 2, lost: 1, pending: 0 });
  receiver.answer = () => ({ status: 200, rejected: 2 });
  report(3);
  assert.deepEqual(await behalf.flush(), { delivered: 3, lost: 3, pending: 0 });
});

test('the queue is bounded; what it cannot take is counted, said once, and leaves a gap in the sequence', async (t) => {
  const said: string[] = [];
  const note = (message: string) => void said.push(message);
  diag.setLogger({ error: note, warn: note, info: () => {}, debug: () => {}, verbose: () => {} }, DiagLogLevel.WARN);
  t.after(() => diag.disable());
  const receiver = await otlpReceiver(t);
  const { behalf, report } = sender(t, receiver, { queueSize: 2 });
  report(5);
  assert.deepEqual(await behalf.flush(), { delivered: 2, lost: 3, pending: 0 });
  report(1);
  await behalf.flush();
  assert.deepEqual(sequencesOf(receiver), ['1', '2', '6']);
  assert.deepEqual(
    said.filter((message) => message.startsWith('behalf:')),
    ['behalf: observations are being lost: 2 observations are waiting; see lost in the result of flush()'],
  );
});

test('more than one batch is sent whole and in order', async (t) => {
  const receiver = await otlpReceiver(t);
  const { behalf, report } = sender(t, receiver);
  report(1200);
  assert.deepEqual(await behalf.flush(), { delivered: 1200, lost: 0, pending: 0 });
  assert.ok(receiver.bodies.length >= 3);
  assert.deepEqual(
    sequencesOf(receiver),
    Array.from({ length: 1200 }, (_, index) => String(index + 1)),
  );
  assert.equal(new Set(receiver.observations.map(({ id }) => id)).size, 1200);
});

test('after shutdown what still waits is lost and counted, and nothing is taken any more', async (t) => {
  const receiver = new OtlpReceiver();
  await receiver.start();
  await receiver.stop();
  const { behalf, report } = sender(t, receiver);
  report(2);
  assert.deepEqual(await behalf.shutdown({ timeoutMs: 50 }), { delivered: 0, lost: 2, pending: 0 });
  report(1);
  assert.deepEqual(await behalf.flush(), { delivered: 0, lost: 3, pending: 0 });
});

test('a host serves on while its collector is dead', async (t) => {
  const { app, behalf, issuer } = await guardedService(t, {
    options: { collectorUrl: 'http://127.0.0.1:1', queueSize: 10 },
  });
  app.get('/', async () => 'served');
  const authorization = `Bearer ${await issuer.sign()}`;
  for (let index = 0; index < 30; index += 1) {
    assert.equal((await app.inject({ url: '/', headers: { authorization } })).payload, 'served');
  }
  const { delivered, lost, pending } = await behalf.flush({ timeoutMs: 10 });
  assert.deepEqual([delivered, lost, pending], [0, 20, 10]);
});

test('a program that ends without shutdown is not kept alive by a dead collector', async () => {
  const program = `import { startBehalf } from '@behalf/sdk';
    startBehalf({ service: 'short', collectorUrl: 'http://127.0.0.1:1' }).recordExchange({ tokenIn: 'x' });
    console.log('done');`;
  const node = [
    ...process.execArgv.filter((arg) => arg.startsWith('--conditions')),
    '--input-type=module',
    '-e',
    program,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, node, { timeout: 30_000, cwd: import.meta.dirname });
  assert.equal(stdout, 'done\n');
});

test('wrong options are one clear error at start', () => {
  const wrong: [Partial<BehalfOptions>, RegExp][] = [
    [{ service: '' }, /service must be a string of 1 to 255 characters/],
    [{ service: undefined as never }, /service is missing/],
    [{ collectorUrl: 'ftp://x' }, /collectorUrl must be an http or https URL/],
    [{ collectorUrl: 'nonsense' }, /collectorUrl/],
    [{ queueSize: 0 }, /queueSize must be a whole number from 1, got 0/],
    [{ audiences: { 'https://a.example/path': true } }, /audiences must be keyed by origin/],
    [{ audiences: { 'a.example': true } }, /audiences must be keyed by origin/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => startBehalf({ service: 's', ...options }), { name: 'TypeError', message });
  }
});
