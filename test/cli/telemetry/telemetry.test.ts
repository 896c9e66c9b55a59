import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { UsageError } from '../../../src/cli/command.ts';
import { settingsFrom } from '../../../src/cli/settings.ts';
import { SILENT, startTelemetry } from '../../../src/cli/telemetry/telemetry.ts';
import { span, traces } from '../../collector/harness.ts';
import { testDatabase } from '../../database.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** An OTLP/HTTP receiver of JSON that keeps what each signal brought. */
async function receiver(t: TestContext) {
  const got: Record<string, string> = {};
  const server = createServer(async (request, response) => {
    const signal = request.url?.replace('/v1/', '') ?? '';
    got[signal] = (got[signal] ?? '') + (await text(request));
    response.setHeader('content-type', 'application/json').end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

/** `behalf serve` as its own process; resolves with what it said once it listens. */
async function serve(t: TestContext, environment: Readonly<Record<string, string>>) {
  const database = await testDatabase(t);
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-telemetry-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['--conditions=behalf-source', 'src/cli/behalf.ts', 'serve'], {
    cwd: ROOT,
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      BEHALF_DATA_DIR: dataDir,
      BEHALF_API_PORT: '0',
      BEHALF_OTLP_HTTP_PORT: '0',
      BEHALF_OTLP_GRPC_PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  for await (const part of child.stderr.iterator({ destroyOnReturn: false })) {
    said += part;
    if (said.includes('no authentication')) break;
  }
  child.stderr.on('data', (part) => {
    said += part;
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    return said;
  };
  t.after(stop);
  return { otlp: /OTLP\/HTTP on (\S+)/.exec(said)?.[1], api: /page on (\S+)/.exec(said)?.[1], stop };
}

test('a server tells of its requests, its numbers and nothing of what it was sent', async (t) => {
  const { url, got } = await receiver(t);
  const server = await serve(t, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
  const body = JSON.stringify(traces('payments', span(1, 2, { with: { 'user.id': 'dana@books.example' } })));
  const sent = await fetch(`${server.otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  assert.equal(sent.status, 200);
  const senders = await (await fetch(`${server.api}/api/v1/senders`)).text();
  assert.match(senders, /payments/);
  await server.stop();

  const { traces: told = '', metrics: numbers = '' } = got;
  assert.match(told, /"POST \/v1\/traces"/);
  assert.match(told, /"ledger append"/);
  assert.match(told, /behalf\.own_telemetry/);
  assert.match(numbers, /behalf\.collector\.accepted/);
  assert.match(numbers, /http\.server\.request\.duration/);
  assert.doesNotMatch(told + numbers, /dana|user\.id/);
});

test('telemetry of a Behalf server that comes back to one is counted, and makes no entry of the ledger', async (t) => {
  const server = await serve(t, {});
  const mark = JSON.stringify({ key: 'behalf.own_telemetry', value: { boolValue: true } });
  const sent = JSON.stringify(traces('behalf', span(1, 2, { with: { 'user.id': 'dana' } }))).replace(
    '{"key"',
    `${mark},{"key"`,
  );
  const answer = await fetch(`${server.otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: sent,
  });
  assert.equal(answer.status, 200);
  const metrics = await (await fetch(`${server.api}/metrics`)).text();
  assert.match(metrics, /not_stored_total\{reason="own_telemetry"\} 1/);
  assert.match(metrics, /^behalf_log_size 0$/m);
});

test("an endpoint that is the server's own collector is refused by the variable's name", async () => {
  const settings = settingsFrom({});
  for (const url of ['http://localhost:4318', 'http://127.0.0.1:4317', 'http://[::1]:4318/v1/traces', 'books']) {
    const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = url;
    await assert.rejects(
      startTelemetry({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT }, settings),
      (error) => error instanceof UsageError && /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: expected/.test(error.message),
    );
  }
});

test('without an endpoint of its own naming a server tells nobody', async () => {
  assert.equal(await startTelemetry({}, settingsFrom({})), SILENT);
  assert.equal(await startTelemetry({ OTEL_TRACES_EXPORTER: 'otlp' }, settingsFrom({})), SILENT);
});
